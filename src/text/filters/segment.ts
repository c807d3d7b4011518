import { Jieba } from '@node-rs/jieba';
import { dict } from '@node-rs/jieba/dict.js';

let jieba: Jieba | undefined;
let segmenter: Intl.Segmenter | undefined;

/**
 * The words of a run of characters of scripts without spaces: Chinese by jieba's dictionary, Japanese, Thai, Lao, Khmer
 * and Burmese by the rules of Unicode (UAX #29 with ICU's dictionaries). Joined, they give the run.
 */
export function segment(run: string, isHan: boolean): readonly string[] {
  if (isHan) {
    jieba ??= Jieba.withDict(dict);
    return jieba.cut(run, true);
  }
  segmenter ??= new Intl.Segmenter('ja', { granularity: 'word' });
  return Array.from(segmenter.segment(run), ({ segment: word }) => word);
}
