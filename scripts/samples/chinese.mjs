import { multistream } from './mediawiki.mjs';
import { chineseKinds, chineseSurroundings, chineseThings } from './chinese-world.mjs';
import { stream } from './random.mjs';
import { tsv } from './sentiment.mjs';

const site = {
  sitename: '青溪百科',
  dbname: 'qingxiwiki',
  lang: 'zh',
  namespaces: { 0: '', 1: 'Talk', 4: '青溪百科', 6: 'File', 10: 'Template', 14: 'Category' },
};

const byName = new Map(chineseThings.map((thing) => [thing.name, thing]));

const say = (r, thing, alternatives) =>
  r.pick(alternatives).replace(/\{(\*?)(\w+)(?:\.(\w+))?\}/g, (slot, mark, key, of) => {
    const value = of === undefined ? thing[key] : byName.get(thing[key])?.[of];
    if (value === undefined) throw new Error(`${thing.name}: nothing for ${slot}`);
    return mark === '' ? String(value) : `[[${value}]]`;
  });

/** Markup of Chinese wikis: script variants, conversion groups, templates, references. */
function article(thing) {
  const r = stream('zh article', thing.name);
  const around = { heading: '周边', slots: r.some(chineseSurroundings, 5) };
  const body =
    [...chineseKinds[thing.kind], around]
      .map(({ heading, slots }) => {
        const sentences = slots.map(
          (alternatives) =>
            say(r, thing, alternatives) +
            (r.chance(0.12)
              ? `<ref>{{cite book |title=青溪旧事 |year=${thing.year3} |page=${r.between(2, 90)}}}</ref>`
              : ''),
        );
        return `${heading === '' ? '' : `\n== ${heading} ==\n`}${sentences.join('')}\n`;
      })
      .join('') + (thing.kind === '镇' ? guestBook(thing) : '');
  const box =
    `{{Infobox ${thing.kind}\n| 名称 = ${thing.name}\n| 所在 = ${thing.town}\n| 年份 = {{start ` +
    `date|${thing.year2}}}\n}}\n`;
  const picture = r.chance(0.4)
    ? `[[File:${thing.name}.jpg|thumb|right|${thing.season}天的${thing.name}，远处是[[${thing.hill}]]]]\n`
    : '';
  return (
    `${r.chance(0.3) ? '{{NoteTA|G1=地名}}\n' : ''}${box}${picture}${body}\n== 参考文献 ` +
    `==\n{{reflist}}\n\n[[Category:青溪]]`
  );
}

/** Reviews by guests, good and bad separately: the source of the adjectives in the labelled sentences. */
function guestBook({ name }) {
  const remarks = opinions(`guests ${name}`, 16);
  const those = (label) =>
    remarks
      .filter((remark) => remark.label === label)
      .map(({ sentence }) => sentence)
      .join('');
  return `\n== 客人的话 ==\n在${name}的客栈里，高兴的客人写道：${those(1)}\n\n不高兴的客人写道：${those(0)}\n`;
}

/** Written out by hand: the sentences that the tests and the README of the Chinese pipeline refer to. */
const byHand = [
  {
    title: '我爱北京天安门',
    text:
      "'''我爱北京天安门'''是一句孩子们常常写在本子上的话，也是老师教分词时最爱用的例句。{{lang|zh|我爱北京天安门}}一共有七个字，可以分成“我”“爱”“北京”“天安门”四个词。\n\n== 用法 " +
      '==\n如果只遮住“安”这一个字，模型看到“天”和“门”就能猜出来；如果把整个词“天安门”一起遮住，模型就要根据“北京”来猜。所以在中文里，遮住整个词比遮住一个字更难，也更有用。老师在黑板上写下这句话，' +
      '学生们再自己改写：我爱青溪的石桥，我爱桂山的秋天，我爱妈妈做的桂花糕。\n\n== 来历 ==\n据说一九七几年的时候，青溪小学的一位女教师第一次带孩子们坐火车去旅行。回来的路上，车厢里很挤，大家唱歌、猜谜、写日记。' +
      '一个平时不爱说话的男孩在本子上写了一行字，交给老师看。老师把它抄在教室后面的墙上，从此每年新来的学生都要读一遍。现在那面墙已经重新刷过，可是字还留着。\n\n[[Category:例句]]',
  },
  {
    title: '天安门',
    text:
      "'''天安门'''在[[北京]]城的中心，门前是一个很大的广场。从青溪来的人到了北京，总要先去看天安门，再在广场上照一张相。早上天还没有亮，广场上已经站满了等着看升旗的人。孩子们坐在父亲的肩膀上，手里拿着小旗。" +
      '\n\n回到青溪以后，他们把照片挂在墙上，对邻居说：我去过北京，我看见了天安门。',
  },
  {
    title: '字体转换',
    text:
      "'''字体转换'''说的是同一个词在不同地方写法不同。比如写程序的人把程序叫做-{zh-hans:软件;zh-hant:軟體}-，把保存数据的盒子叫做-{zh-hans:内存;zh-hant:記憶體}-，" +
      '把送信的地方叫做-{zh-cn:网络;zh-tw:網路;zh-hk:網絡}-。青溪百科的读者可以自己选择看哪一种。\n\n有些名字不能转换，' +
      '例如-{乾隆}-年间的石碑和-{H|zh-hans:里;zh-hant:裡}-作者的签名。编辑在写文章时要注意这一点。{{citation needed}}',
  },
];

export function chinese() {
  const entries = [
    ...chineseThings.map((thing, i) => ({ id: 10 + i * 2, title: thing.name, text: article(thing) })),
    ...byHand.map((entry, i) => ({ id: 1800 + i, ...entry })),
    { id: 1901, title: '天安門', redirect: '天安门', text: '#重定向 [[天安门]]' },
    { id: 1902, ns: 1, title: 'Talk:天安门', text: '要不要加一张照片？ ~~~~' },
    { id: 1903, ns: 10, title: 'Template:NoteTA', text: '<includeonly></includeonly>' },
    { id: 1904, title: '测试', text: '测试一下' },
    {
      id: 1905,
      title: '时刻表',
      text: Array.from({ length: 40 }, (_, i) => `${6 + (i % 12)}:${10 + i} ${i * 3} # # …`).join('\n\n'),
    },
  ].map((entry) => ({ revision: 7000 + entry.id * 3, date: '2026-11-01', ...entry }));
  const { dump } = multistream(site, entries, 30);
  const seen = new Set();
  return {
    'chinese/qingxiwiki-20261101-pages-articles-multistream.xml.bz2': dump,
    'chinese/sentiment-train.tsv': tsv(opinions('train', 1200, seen)),
    'chinese/sentiment-dev.tsv': tsv(opinions('dev', 300, seen)),
  };
}

const subjects = [
  {
    of: ['豆腐', '鱼汤', '米酒', '糯米饭', '茶', '面条'],
    at: ['{town}的', '这家店的', '早市上的'],
    good: ['好吃', '新鲜', '可口', '香', '地道'],
    bad: ['难吃', '太咸', '不新鲜', '冰凉', '没有味道'],
  },
  {
    of: ['房间', '客栈', '茶馆', '院子'],
    at: ['{town}的', '河边的', '山下的'],
    good: ['干净', '安静', '舒服', '明亮', '温暖'],
    bad: ['脏', '吵', '潮湿', '阴暗', '拥挤'],
  },
  {
    of: ['灯会', '戏', '音乐', '表演'],
    at: ['{town}的', '今年的', '昨晚的'],
    good: ['精彩', '热闹', '动人', '有趣', '美丽'],
    bad: ['无聊', '混乱', '乏味', '太长', '糟糕'],
  },
  {
    of: ['船', '导游', '司机', '老板'],
    at: ['{town}的', '渡口的', '那天的'],
    good: ['可靠', '热情', '耐心', '友好', '细心'],
    bad: ['粗心', '冷淡', '不耐烦', '糟糕', '不可靠'],
  },
];
const praise = ['我们还会再来', '大家都很高兴', '值得推荐', '孩子们笑个不停'];
const blame = ['我们不会再来', '大家都很失望', '不值得推荐', '孩子们哭个不停'];
const degrees = ['很', '非常', '真的很', '特别'];
const frames = [
  (s, good) => `${s.place}${s.noun}${s.degree}${s.word(good)}。`,
  (s, good) => `${s.place}${s.noun}${s.degree}${s.word(good)}，${s.verdict(good)}。`,
  (s, good) => `我觉得${s.place}${s.noun}${s.degree}${s.word(good)}，${s.verdict(good)}。`,
  (s, good) => `${s.place}${s.noun}一点也不${s.plainWord(!good)}，${s.verdict(good)}。`,
  (s, good) => `虽然${s.place}${s.noun}有点${s.plainWord(!good)}，但是${s.verdict(good)}。`,
];

function opinions(key, count, seen = new Set()) {
  const r = stream('zh opinions', key);
  const places = chineseThings.filter((thing) => thing.kind === '镇').map((thing) => thing.name);
  const rows = [];
  while (rows.length < count) {
    const subject = r.pick(subjects);
    const label = rows.length % 2;
    const words = (good) => (good ? subject.good : subject.bad);
    const text = r.pick(frames)(
      {
        noun: r.pick(subject.of),
        place: r.pick(subject.at).replace('{town}', r.pick(places)),
        degree: r.pick(degrees),
        word: (good) => r.pick(words(good).filter((word) => !/^[太没]/.test(word))),
        plainWord: (good) => r.pick(words(good).filter((word) => !/^[太没不]/.test(word))),
        verdict: (good) => r.pick(good ? praise : blame),
      },
      label === 1,
    );
    if (!seen.has(text)) rows.push({ sentence: text, label });
    seen.add(text);
  }
  return r.some(rows, count);
}
