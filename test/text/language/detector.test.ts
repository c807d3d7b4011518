import { describe, expect, it } from 'vitest';
import { loadLanguageDetector, sampleText } from '../../../src/text/language/detector.ts';

const english =
  'The river rises in the hills above the town and turns south before it meets the sea. Boats still carry grain ' +
  'along its lower reaches in spring.';
const chinese = '这条河发源于城北的山中，向南流去，最后注入大海。春天的时候，仍有船只在下游运送粮食。';
const traditional = '這條河發源於城北的山中，向南流去，最後注入大海。春天的時候，仍有船隻在下游運送糧食。';

describe('loadLanguageDetector', () => {
  it.each([
    ['English', english, 'en'],
    ['Chinese', chinese, 'zh'],
    ['traditional Chinese', traditional, 'zh'],
    ['short Chinese', '我爱北京天安门', 'zh'],
    ['Chinese with English names', `${chinese}作者 John Smith 在 Oxford 大学任教。`, 'zh'],
    ['German', 'Der Fluss entspringt in den Hügeln oberhalb der Stadt und fließt dann nach Süden ins Meer.', 'de'],
    ['Japanese', 'この川は町の北の山に源を発し、南へ流れて海に注いでいます。', 'ja'],
    ['long English', english.repeat(60), 'en'],
    ['long Chinese', chinese.repeat(60), 'zh'],
  ])('knows %s', async (_, text, language) => {
    const detect = await loadLanguageDetector();
    const guess = detect(text);
    expect(guess.language).toBe(language);
    expect(guess.score).toBeGreaterThan(0.8);
    expect(guess.score).toBeLessThanOrEqual(1);
  });

  it.each([
    ['nothing', ''],
    ['digits', '1999 2000 - 12:23'],
    ['no known n-grams', '\u{1F600} \u{1F601}'],
  ])('says nothing of %s', async (_, text) => {
    expect((await loadLanguageDetector())(text)).toEqual({ language: '', score: 0 });
  });

  it('scores a page in two languages by the share of the greater', async () => {
    const guess = (await loadLanguageDetector())(english.repeat(30) + chinese.repeat(60));
    expect(guess.score).toBeLessThan(0.65);
  });
});

describe('sampleText', () => {
  it('takes the whole of a short text and begins at words of a long one', () => {
    expect(sampleText('a short text')).toEqual(['a short text']);
    const samples = sampleText('word '.repeat(2000));
    expect(samples).toHaveLength(5);
    for (const sample of samples) expect(sample.startsWith('word ')).toBe(true);
  });
});
