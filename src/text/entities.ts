/** HTML 4's named entities that occur in running text. */
const NAMED = new Map(
  (
    'quot:" amp:& lt:< gt:> apos:\' nbsp:\u00a0 iexcl:¡ cent:¢ pound:£ curren:¤ yen:¥ brvbar:¦ sect:§ uml:¨ ' +
    'copy:© ordf:ª laquo:« not:¬ shy: reg:® macr:¯ deg:° plusmn:± ' +
    'sup2:² sup3:³ acute:´ micro:µ para:¶ middot:· cedil:¸ sup1:¹ ordm:º raquo:» frac14:¼ frac12:½ frac34:¾ ' +
    'iquest:¿ Agrave:À Aacute:Á Acirc:Â Atilde:Ã Auml:Ä Aring:Å AElig:Æ ' +
    'Ccedil:Ç Egrave:È Eacute:É Ecirc:Ê Euml:Ë Igrave:Ì Iacute:Í Icirc:Î Iuml:Ï ETH:Ð Ntilde:Ñ Ograve:Ò Oacute:Ó ' +
    'Ocirc:Ô Otilde:Õ Ouml:Ö times:× Oslash:Ø Ugrave:Ù Uacute:Ú ' +
    'Ucirc:Û Uuml:Ü Yacute:Ý THORN:Þ szlig:ß agrave:à aacute:á acirc:â atilde:ã auml:ä aring:å aelig:æ ccedil:ç ' +
    'egrave:è eacute:é ecirc:ê euml:ë igrave:ì iacute:í icirc:î ' +
    'iuml:ï eth:ð ntilde:ñ ograve:ò oacute:ó ocirc:ô otilde:õ ouml:ö divide:÷ oslash:ø ugrave:ù uacute:ú ucirc:û ' +
    'uuml:ü yacute:ý thorn:þ yuml:ÿ OElig:Œ oelig:œ Scaron:Š ' +
    'scaron:š Yuml:Ÿ fnof:ƒ circ:ˆ tilde:˜ Alpha:Α Beta:Β Gamma:Γ Delta:Δ Epsilon:Ε Zeta:Ζ Eta:Η Theta:Θ Iota:Ι ' +
    'Kappa:Κ Lambda:Λ Mu:Μ Nu:Ν Xi:Ξ Omicron:Ο Pi:Π Rho:Ρ ' +
    'Sigma:Σ Tau:Τ Upsilon:Υ Phi:Φ Chi:Χ Psi:Ψ Omega:Ω alpha:α beta:β gamma:γ delta:δ epsilon:ε zeta:ζ eta:η ' +
    'theta:θ iota:ι kappa:κ lambda:λ mu:μ nu:ν xi:ξ omicron:ο pi:π ' +
    'rho:ρ sigmaf:ς sigma:σ tau:τ upsilon:υ phi:φ chi:χ psi:ψ omega:ω ensp:\u2002 emsp:\u2003 thinsp:\u2009 ' +
    'zwnj:\u200c zwj:\u200d lrm: rlm: ndash:– mdash:— lsquo:‘ rsquo:’ ' +
    'sbquo:‚ ldquo:“ rdquo:” bdquo:„ dagger:† Dagger:‡ bull:• hellip:… permil:‰ prime:′ Prime:″ lsaquo:‹ ' +
    'rsaquo:› oline:‾ frasl:⁄ euro:€ image:ℑ real:ℜ trade:™ larr:← ' +
    'uarr:↑ rarr:→ darr:↓ harr:↔ rArr:⇒ hArr:⇔ forall:∀ part:∂ exist:∃ empty:∅ nabla:∇ isin:∈ notin:∉ ni:∋ ' +
    'prod:∏ sum:∑ minus:− lowast:∗ radic:√ prop:∝ infin:∞ ang:∠ ' +
    'and:∧ or:∨ cap:∩ cup:∪ int:∫ there4:∴ sim:∼ cong:≅ asymp:≈ ne:≠ equiv:≡ le:≤ ge:≥ sub:⊂ sup:⊃ nsub:⊄ sube:⊆ ' +
    'supe:⊇ oplus:⊕ otimes:⊗ perp:⊥ sdot:⋅ lang:⟨ rang:⟩ loz:◊'
  )
    .split(/ (?=\w+:)/)
    .map((pair) => [pair.slice(0, pair.indexOf(':')), pair.slice(pair.indexOf(':') + 1)] as const),
);

/** The character that one entity, `&…;` included, stands for; the entity itself when it is none. */
export function decodeEntity(entity: string): string {
  const body = entity.slice(1, -1);
  if (body[0] !== '#') return NAMED.get(body) ?? entity;
  const code =
    body[1] === 'x' || body[1] === 'X' ? Number.parseInt(body.slice(2), 16) : Number.parseInt(body.slice(1), 10);
  if (Number.isNaN(code) || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return '\ufffd';
  return code === 0 || (code < 32 && code !== 9 && code !== 10 && code !== 13) ? '' : String.fromCodePoint(code);
}

/** Replace every HTML entity in a text, once: `&amp;lt;` becomes `&lt;`. */
export function decodeEntities(text: string): string {
  return text.includes('&')
    ? text.replace(/&(?:[A-Za-z]{2,8}\d{0,2}|#\d{1,7}|#[xX][\da-fA-F]{1,6});/g, decodeEntity)
    : text;
}
