/** A short article written for these tests that every rule should keep. */
export const englishArticle = `The old mill stands at the bend of the river, a mile below the village. It was built of grey stone when corn still came down from the upper farms by cart, and for nearly two hundred years it ground flour for the whole valley. The wheel has not turned since a flood carried off the sluice, but the building is sound and its roof was mended a few winters ago.

Visitors reach it by a path that leaves the main road behind the church. The way leads through two meadows and over a narrow footbridge, where it pays to look down: trout rest in the shade of the planks on warm afternoons. Dogs should be kept on a lead while the sheep have their lambs.

Inside, the lower floor holds a small exhibition about milling. Wooden gears, sacks, scoops and a set of scales lie on long tables, and the last miller's account book is open at the week in which he shut the doors for good. Upstairs a volunteer explains how the stones were dressed and why a careful miller could tell by the smell whether they ran too close together.

Plans to make the wheel turn again have been discussed more than once. Engineers reckon that a modest turbine would supply thirty houses with electricity, yet the council worries about the eels that travel upstream each spring. A study is expected next year, and until then the pond remains what it has become: a quiet place for herons, dragonflies and people who like to sit still.`;

export const chineseArticle = `老磨坊坐落在河湾旁边，离村子大约一里路。它是用灰色的石头建成的，那时候山上的农民还用马车把粮食运下来。在将近两百年的时间里，整个山谷的面粉都出自这里。自从洪水冲走了水闸以后，水车就再也没有转动过，不过房子依然结实，屋顶前几年也重新修过了。

游客可以沿着教堂后面的小路走到磨坊。小路穿过两片草地，再经过一座窄窄的木桥。天气暖和的下午，鳟鱼喜欢躲在桥板的阴影里休息，所以不妨停下来看一看。春天母羊带着小羊吃草的时候，请不要让狗到处乱跑。

磨坊的一楼有一个介绍磨面历史的小展览，长桌上摆着木齿轮、麻袋、勺子和一台旧秤。最后一位磨坊主人的账本也在这里，翻开的那一页正好是他关门歇业的那个星期。楼上有志愿者讲解怎样打磨石盘，以及为什么有经验的师傅只凭气味就能知道两块石头靠得太近。

让水车重新转动的计划已经讨论过不止一次。工程师估计，一台小型水轮机可以为三十户人家供电，但是镇上的人担心每年春天逆流而上的鳗鱼会受到影响。明年将会有一份研究报告，在那之前，这个池塘仍然是苍鹭和蜻蜓的家，也是人们安静休息的好地方。`;
