import { isObject, unsupported, type Json } from './json-file.ts';
import { specialTokens, type SpecialRole } from './model.ts';

/** A post-processor's output for a text `A` and for a pair of texts `A` and `B`: texts and ids, in order. */
interface Frames {
  readonly single: string;
  readonly pair: string;
}

const plain: Frames = { single: 'A', pair: 'A B' };

/**
 * Compare a post-processor with RoBERTa's, `<s> A </s>` and `<s> A </s> </s> B </s>`, which every sequence here has.
 * Returns log messages about differences; fails when the tokenizer frames texts with other tokens. `isReplaced`:
 * transformers puts RoBERTa's in its place.
 */
export function comparePostProcessor(
  postProcessor: unknown,
  special: Readonly<Record<SpecialRole, number>>,
  path: string,
  isReplaced: boolean,
): string[] {
  const { bos, eos } = special;
  const wanted: Frames = { single: `${bos} A ${eos}`, pair: `${bos} A ${eos} ${eos} B ${eos}` };
  const found = framesOf(postProcessor);
  const both = `${specialTokens.bos} and ${specialTokens.eos}`;
  const isSame = found?.single === wanted.single;
  if (isSame && found.pair === wanted.pair) return [];
  if (found?.single === plain.single)
    return [`${path} does not put ${both} around a text; they are added here and in the tokenizer that is written`];
  if (isSame || isReplaced)
    return [
      `${path} puts other tokens around ${isSame ? 'pairs of texts' : 'a text'} than RoBERTa; here and in the ` +
        "tokenizer that is written, RoBERTa's are used",
    ];
  const instead =
    found === undefined
      ? `its post-processor, ${typeName(postProcessor)}, is not supported`
      : `it makes ${JSON.stringify(found.single)} of a text A`;
  return unsupported(
    `${path} does not put ${both} around a text: ${instead}.`,
    'Use a tokenizer whose post-processor is RobertaProcessing.',
  );
}

/** Undefined for an unknown one. */
function framesOf(processor: unknown): Frames | undefined {
  if (processor === undefined || processor === null) return plain;
  if (!isObject(processor)) return undefined;
  const [cls, sep] = [processor.cls, processor.sep].map((token) => (Array.isArray(token) ? String(token[1]) : '?'));
  switch (processor.type) {
    case 'ByteLevel': // offsets only
      return plain;
    case 'RobertaProcessing':
      return { single: `${cls} A ${sep}`, pair: `${cls} A ${sep} ${sep} B ${sep}` };
    case 'BertProcessing':
      return { single: `${cls} A ${sep}`, pair: `${cls} A ${sep} B ${sep}` };
    case 'TemplateProcessing':
      return { single: template(processor, 'single'), pair: template(processor, 'pair') };
    case 'Sequence': {
      const frames = Array.isArray(processor.processors) ? processor.processors.map(framesOf) : [undefined];
      const framing = frames.filter((each) => each === undefined || each.single !== plain.single);
      return framing.length <= 1 ? (framing.length === 0 ? plain : framing[0]) : undefined;
    }
    default:
      return undefined;
  }
}

/** A template's pieces: `{ Sequence: { id: 'A' } }`, and `{ SpecialToken: { id: '<s>' } }` with its ids beside it. */
function template({ special_tokens, ...processor }: Json, part: 'single' | 'pair'): string {
  const pieces = processor[part];
  if (!Array.isArray(pieces)) return '?';
  return pieces
    .flatMap((piece: unknown) => {
      const { Sequence, SpecialToken } = (isObject(piece) ? piece : {}) as Readonly<Record<string, Json | undefined>>;
      if (Sequence !== undefined) return [String(Sequence.id)];
      const known = isObject(special_tokens) ? special_tokens[String(SpecialToken?.id)] : undefined;
      return isObject(known) && Array.isArray(known.ids) ? known.ids.map(String) : ['?'];
    })
    .join(' ');
}

function typeName(processor: unknown): string {
  return isObject(processor) ? String(processor.type) : JSON.stringify(processor);
}
