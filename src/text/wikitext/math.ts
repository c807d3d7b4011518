const COMMANDS = new Map(
  (
    'alpha:α beta:β gamma:γ delta:δ epsilon:ε varepsilon:ε zeta:ζ eta:η theta:θ iota:ι kappa:κ lambda:λ mu:μ ' +
    'nu:ν xi:ξ pi:π rho:ρ sigma:σ tau:τ upsilon:υ phi:φ varphi:φ chi:χ psi:ψ omega:ω ' +
    'Gamma:Γ Delta:Δ Theta:Θ Lambda:Λ Xi:Ξ Pi:Π Sigma:Σ Phi:Φ Psi:Ψ Omega:Ω times:× cdot:· pm:± mp:∓ div:÷ le:≤ ' +
    'leq:≤ ge:≥ geq:≥ ne:≠ neq:≠ approx:≈ equiv:≡ sim:∼ propto:∝ infty:∞ in:∈ ' +
    'notin:∉ subset:⊂ subseteq:⊆ cup:∪ cap:∩ to:→ rightarrow:→ Rightarrow:⇒ leftarrow:← mapsto:↦ forall:∀ ' +
    'exists:∃ partial:∂ nabla:∇ sum:∑ prod:∏ int:∫ circ:° degree:° prime:′ ldots:… cdots:⋯ dots:… ' +
    'hbar:ℏ ell:ℓ langle:⟨ rangle:⟩ perp:⊥ parallel:∥ sin:sin cos:cos tan:tan log:log ln:ln exp:exp lim:lim ' +
    'min:min max:max det:det quad:_ qquad:_ R:ℝ N:ℕ Z:ℤ'
  )
    .split(' ')
    .map((pair) => pair.split(':') as [string, string]),
);

/**
 * TeX that reads as one line of text; anything with structure (matrices, fractions of fractions, long terms) is
 * omitted.
 */
export function renderMath(tex: string): string {
  if (tex.length > 200) return '';
  const flat = tex
    .replace(/\\(?:displaystyle|textstyle|left|right|,|;|!|:| )|~/g, ' ')
    .replace(
      /\\(?:mathbf|mathrm|mathit|mathcal|mathbb|mathsf|mathfrak|text|textbf|operatorname|boldsymbol|bold|rm|vec|hat|bar)\s*\{([^{}\\]{0,40})\}/g,
      '$1',
    )
    .replace(/\\[dt]?frac\s*\{([^{}\\]{1,20})\}\s*\{([^{}\\]{1,20})\}/g, '$1/$2')
    .replace(/\\sqrt\s*\{([^{}\\]{1,20})\}/g, '√($1)')
    .replace(/\\([A-Za-z]{1,12})/g, (command, name: string) => COMMANDS.get(name)?.replace('_', ' ') ?? command)
    .replace(/([_^])\{([^{}\\]{1,12})\}/g, (_, mark: string, body: string) =>
      body.length === 1 ? mark + body : `${mark}(${body})`,
    )
    .replace(/[{}](?=[{}]|$)|^[{}]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  return /[\\{}&]/.test(flat) || flat.length > 100 ? '' : flat.replace(/\|/g, '∣');
}
