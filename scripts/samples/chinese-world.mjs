import { stream } from './random.mjs';
import { section } from './section.mjs';

/**
 * The fictional country around Qingxi: towns, rivers, hills, dishes, crafts and people, with sentences about each kind.
 */
const words = (text) => text.trim().split(/\s+/);
/** `count` names put together from a first and a last part each, none of them in `known`. */
const coined = (kind, count, firsts, lasts, known) =>
  stream('zh names', kind).some(
    words(firsts)
      .flatMap((first) => words(lasts).map((last) => first + last))
      .filter((name) => !known.includes(name)),
    count,
  );

const known = {
  镇: words(
    '青溪镇 白石镇 柳塘镇 桂山镇 双桥镇 竹溪镇 荷浦镇 云岭镇 石门镇 渔梁镇 枫林镇 金沙镇 梅岭镇 南浦镇 东湖镇 古塔镇 三渡镇 月湾镇 茶亭镇 长堤镇',
  ),
  河: words('青溪 白水河 柳河 双龙江 竹溪河 桂江 沙河 清水江 东江 梅溪 月河 茶溪'),
  山: words('桂山 云岭 石鼓山 凤尾山 白鹤峰 松风岭 望江山 龙背山 茶王山 玉屏山 青云峰 牛头岭'),
  菜: words('桂花糕 溪鱼汤 竹筒饭 青团子 荷叶鸡 米酒圆子 豆腐花 梅干饼 藕粉羹 菜籽糕 柑橘酱 腊鱼'),
  手艺: words('竹编 木雕 造纸 制茶 烧陶 织布 酿酒 剪纸 刺绣 制扇 打铁 造船'),
  人: words(
    '陈远山 林小溪 周望江 吴青竹 沈月桥 郑归舟 赵听雨 孙石生 何秋白 许南枝 方晓荷 叶问松 钱一帆 冯夏云 邓晚晴 曹立冬 彭小满 蒋白露',
  ),
};
const names = {
  ...known,
  镇: [
    ...known.镇,
    ...coined(
      '镇',
      60,
      '上 下 大 小 新 老 红 黄 松 桃 杏 莲',
      '河镇 桥镇 塘镇 坪镇 湾镇 坡镇 洲镇 林镇 井镇',
      known.镇,
    ),
  ],
  河: [...known.河, ...coined('河', 30, '红 黄 松 桃 杏 莲 青 银', '溪 河 江 水河 沙溪', known.河)],
  山: [...known.山, ...coined('山', 30, '红 黄 松 桃 杏 云 狮子 铁', '山 岭 峰 石山 顶山', known.山)],
  人: [
    ...known.人,
    ...coined('人', 40, '陈 林 周 吴 沈 郑 赵 孙 何 许', '大江 春雨 明月 长风 秋生 水生 立夏 清河', known.人),
  ],
};
const fish = words('鲤鱼 草鱼 鲫鱼 鳜鱼');
const trees = words('樟树 银杏 桂树 松树 柳树 枫树');
const birds = words('白鹭 翠鸟 画眉 喜鹊 野鸭 燕子');
const crops = words('水稻 茶叶 桑树 油菜 莲藕 柑橘');
const festivals = words('灯会 船会 茶会 庙会 花会');

function ties(name) {
  const r = stream('zh', name);
  const other = (kind) => r.pick(names[kind].filter((one) => one !== name));
  const [town, town2] = r.some(
    names.镇.filter((one) => one !== name),
    2,
  );
  const [person, person2] = r.some(
    names.人.filter((one) => one !== name),
    2,
  );
  const [tree, bird] = [r.pick(trees), r.pick(birds)];
  return {
    town,
    town2,
    person,
    person2,
    tree,
    bird,
    river: other('河'),
    hill: other('山'),
    dish: other('菜'),
    craft: other('手艺'),
    fish: r.pick(fish),
    crop: r.pick(crops),
    crop2: r.pick(crops),
    festival: r.pick(festivals),
    season: r.pick(words('春 夏 秋 冬')),
    month: r.pick(words('正 二 三 四 五 六 七 八 九 十')),
    year: r.between(1368, 1640),
    year2: r.between(1650, 1900),
    year3: r.between(1911, 1990),
    year4: r.between(1995, 2024),
    km: r.between(3, 60),
    m: r.between(120, 980),
    people: r.between(4, 60) * 1000,
    few: r.pick(words('两 三 四 五 六 七')),
    many: r.pick(words('二十 三十 五十 一百')),
    born: r.between(1700, 1880),
    age: r.between(50, 88),
  };
}

export const chineseThings = Object.entries(names).flatMap(([kind, list]) =>
  list.map((name) => ({ kind, name, ...ties(name) })),
);

/** Sentences that any article may have about the things it is tied to; `other` words are those things' own. */
export const chineseSurroundings = [
  [
    '附近的{*town}在{*town.river}边上，那里的人种{town.crop}。',
    '离这里不远的{*town}有{town.people}人，以{*town.craft}出名。',
  ],
  [
    '{*town2}每年{town2.month}月有{town2.festival}，人们吃{*town2.dish}。',
    '在{*town2}可以买到{*town2.dish}和{town2.crop}。',
  ],
  ['{*river}从{*river.hill}流下来，里面有{river.fish}。', '{*river}全长{river.km}公里，流过{*river.town}。'],
  ['{*hill}高{hill.m}米，山上长着{hill.tree}。', '爬上{*hill}，能听见{hill.bird}的叫声。'],
  ['{*dish}最早出在{*dish.town}，是{dish.season}天的食物。', '客人都要尝一尝{*dish}，它是{*dish.person}写过的味道。'],
  ['做{*craft}的师傅多住在{*craft.town}。', '{*craft}的材料来自{*craft.hill}。'],
  [
    '{*person}出生在{*person.town}，喜欢写{person.bird}和{person.tree}。',
    '{*person}的书里也写到了这里，书名和{*person.river}有关。',
  ],
];

export const chineseKinds = {
  镇: [
    section(
      '',
      `'''{name}'''是青溪地区的一个小镇，在{*river}的北岸。 / '''{name}'''在{*river}边上，离{*town}有{km}公里，是一个古老的小镇。
      镇上住着大约{people}人，多数人种{crop}，也有人以{*craft}为生。 / 全镇有{people}人，出产{crop}和{crop2}。
      这里的{*dish}很有名，每年{month}月的{festival}也吸引了许多客人。 / 每到{month}月，人们来这里看{festival}，吃{*dish}。`,
    ),
    section(
      '历史',
      `{year}年，第一批人家从{*town2}搬到这里，在河边盖起了房子。 / 根据一块石碑，小镇建于{year}年。
      {year2}年发了大水，老街被冲走了一半，镇上的人用了{few}年才把它修好。 / {year2}年一场大火烧了{many}间房子，后来的街道都用石头铺成。
      {year3}年公路通到了{*town}，船运就慢慢少了。 / {year3}年，镇上办起了第一所学校，先生是{*person}。
      {*person2}在这里出生，后来写了许多关于小镇的文章。 / 小镇最出名的人是{*person2}，他的老房子现在还在。`,
    ),
    section(
      '地理',
      `镇的南面是{*hill}，高{m}米，山上长满了{tree}。 / 站在石桥上，可以看见远处的{*hill}。
      {season}天常常有雾，早上看不清对岸的人家。 / 这里{season}天雨多，田里总是有水。
      河里有{fish}，河边常有{bird}飞过。 / 到了傍晚，{bird}落在{tree}上，渔民带着{fish}回家。`,
    ),
    section(
      '生活',
      `早上，卖豆腐的人推着车走过石板路，茶馆里坐满了老人。 / 老街上有{few}家茶馆，老人们从早上坐到中午。
      {year4}年，镇上修了新的图书馆，孩子们放学以后在那里看书。 / 从{year4}年起，年轻人慢慢回到镇上，开了客栈和书店。
      过年的时候，家家门前挂起红灯笼，一起吃{*dish}。 / 出门在外的人都说，最想念的是家里的{*dish}。`,
    ),
  ],
  河: [
    section(
      '',
      `'''{name}'''是青溪地区的一条河，全长{km}公里。 / '''{name}'''从{*hill}流下来，经过{*town}和{*town2}，长{km}公里。
      河水很清，里面有{fish}和小虾。 / 河里的{fish}很多，岸边住着{bird}。`,
    ),
    section(
      '河道',
      `它的源头在{*hill}，那里有{few}股泉水，海拔{m}米。 / 上游的山谷很窄，水流得很快。
      到了{*town}，河面变宽，两岸都是{crop}田。 / 过了{*town}以后，水流慢下来，船可以一直走到{*town2}。
      {season}天水位最高，有时会淹没低处的小路。 / {year3}年的大水是最大的一次，水一直到了老街的门口。`,
    ),
    section(
      '桥和船',
      `河上最老的石桥建于{year}年，有{few}个桥洞。 / {year}年，{*person}出钱修了第一座桥。
      从前没有桥，人们坐渡船过河，船夫唱着歌。 / 在有桥以前，赶集的人要在渡口等很久。
      每年{month}月，河上举行船会，两岸站满了人。 / 到了{festival}的晚上，孩子们把小灯放在水上。
      {year4}年以后，工厂搬走了，河水又变得干净。 / 从{year4}年起，河边种了{many}里长的{tree}。`,
    ),
  ],
  山: [
    section(
      '',
      `'''{name}'''在{*town}的南面，高{m}米。 / '''{name}'''是青溪地区的名山，海拔{m}米。
      山上有{tree}林，{season}天的景色最美。 / 人们喜欢在{season}天上山，看山下的{*river}。`,
    ),
    section(
      '景色',
      `从{*town2}上山要走{few}个小时，路上有一座小亭子。 / 山路有{many}里长，中间有几处可以休息的石凳。
      早晨，云从山谷里升起来，像一片白色的海。 / 天晴的时候，在山顶可以看见{km}公里以外的{*town2}。
      林子里有{bird}，泉水边长着野花。 / {bird}在{tree}上做窝，春天能听见它们的叫声。`,
    ),
    section(
      '传说和历史',
      `传说很久以前，一位老人在山上种下第一棵{tree}。 / 老人们说，山里住着一只会说话的{bird}。
      {year}年，山上建了一座小庙，后来毁于大火。 / {year2}年，诗人{*person}在山上住了{few}年，写下了许多诗。
      山下的人种{crop}，也做{*craft}。 / 山里的村子靠{*craft}过日子，东西卖到{*town}。
      {year4}年，这里成了公园，不能再砍树。 / 从{year4}年起，每到周末都有许多人来爬山。`,
    ),
  ],
  菜: [
    section(
      '',
      `'''{name}'''是青溪地区的传统食物，最早出在{*town}。 / '''{name}'''是{*town}人爱吃的东西，客人来了一定要端上桌。
      人们多在{season}天吃它，{festival}的时候更少不了。 / 每年{month}月，家家都做，邻居之间互相赠送。`,
    ),
    section(
      '做法',
      `先把材料洗干净，放在清水里泡{few}个小时。 / 做的时候要用{*river}的水，味道才好。
      然后用小火慢慢煮，不能着急。 / 再放进竹子做的蒸笼里，蒸到满屋都是香味。
      最后加上一点盐和{crop}，趁热吃。 / 最后包上一片叶子，放凉了也好吃。
      {*town2}的做法不同，那里的人喜欢加糖。 / 在{*town2}，人们把它切成小块，和茶一起吃。`,
    ),
    section(
      '故事',
      `{*person}在{year2}年写的一封信里第一次提到它。 / 据说是{year2}年由{*person}的母亲做出来的。
      从前只有过年才吃得到，孩子们要等一整年。 / 过去渔民出门带着它，可以吃好几天。
      {year4}年，一位年轻人在{*town2}开了店，把它卖到了城里。 / {year4}年的比赛上，来自{*town2}的老师傅得了第一名。
      出门在外的人吃到它，就会想起家乡和{*hill}。 / 老人说，吃一口就像回到了小时候。`,
    ),
  ],
  手艺: [
    section(
      '',
      `'''{name}'''是青溪地区的老手艺，已经有几百年的历史。 / '''{name}'''在{*town}和{*town2}最有名。
      做这门手艺的人要学{few}年才能出师。 / 一个好师傅一个月只能做{few}件。`,
    ),
    section(
      '过程',
      `材料来自{*hill}，要在{season}天准备好。 / 师傅先到{*hill}上挑选材料，再用{*river}的水洗干净。
      第一步是把材料晒干，第二步是慢慢做出样子。 / 做的时候手要稳，心要静，不能说话。
      做好以后，要放在阴凉的地方{many}天。 / 最后在底下刻上自己的名字。`,
    ),
    section(
      '历史',
      `{year}年的书里已经写到它。 / 最早的记录是{year}年的一块石碑。
      {year2}年，{*person}改进了做法，东西变得又轻又好看。 / {year2}年，{*person}在{*town}开了第一家作坊。
      {year3}年以后，工厂的东西便宜，许多作坊关了门。 / 到了{year3}年，镇上只剩下{few}位老师傅。
      {year4}年，学校请{*person2}来教孩子们，这门手艺才没有丢。 / 从{year4}年起，年轻人又开始学习，作品在{festival}上展出。`,
    ),
  ],
  人: [
    section(
      '',
      `'''{name}'''是青溪地区的作家，{born}年出生在{*town}。 / '''{name}'''，{born}年生于{*town}，写过许多关于{*river}的文章。
      人们记得他，是因为他对家乡的爱。 / 他的书到今天还有人读。`,
    ),
    section(
      '生平',
      `他家里很穷，父亲靠{*craft}养活一家人。 / 他的父亲种{crop}，母亲在市场上卖{*dish}。
      十二岁那年，他跟着船到了{*town2}，在一家书店里做工。 / 小时候他常常一个人爬上{*hill}，看远处的船。
      后来他认识了{*person}，两个人成了一生的朋友。 / 在{*town2}，他跟着{*person}学写字和画画。
      他走过许多地方，但是每年{month}月都要回家看{festival}。 / 他在外面住了{few}年，最后还是回到了{*river}边。
      他活到{age}岁，葬在{*hill}下面。 / 去世的时候他{age}岁，镇上的人都来送他。`,
    ),
    section(
      '作品',
      `第一本书写的是{*town}的老街和茶馆。 / 他最早的文章写{*river}的四季。
      他喜欢写{bird}、{tree}和下雨的早晨。 / 他的诗很短，多写{season}天的景色。
      {*person2}说，读他的书就像喝一杯热茶。 / {*person2}认为他的文字太平淡，可是读者都喜欢。
      {year4}年，镇上用他的名字办了一个图书馆。 / {year4}年，他的老房子修好了，门前种着一棵{tree}。`,
    ),
  ],
};
