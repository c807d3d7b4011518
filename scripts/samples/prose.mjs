import { section } from './section.mjs';

/**
 * Sentences of the encyclopedia, by kind of thing and section; one alternative per line is chosen for each article.
 * `{town}` is a property of the thing, `{*town}` a link to it, `{~km}` a measure, `{festival.town}` a property of the
 * thing it names.
 */
export const prose = {
  town: [
    section(
      '',
      `
      '''{title}''' is a market town in the county of {county}, on the north bank of the {*river}. / '''{title}''' is a small town in {county}, where the {*river} meets the road to {*town}. / '''{title}''' is a town of {people} people in the county of {county}, on the {*river}.
      It lies {~km} from {*town} and {~km2} from {*town2}. / The nearest towns are {*town}, {~km} to the west, and {*town2}, {~km2} to the east.
      The town is known for its {*trade} and for the {*festival}, which draws many visitors every {month}. / Since the old days the town has lived from {*trade}, and its {*dish} is sold in every market of the vale.
      In {year4} the council counted {people} inhabitants. / About {percent} in every hundred people of the town work in {*trade}.`,
    ),
    section(
      'History',
      `
      A charter of {year} is the first paper that names the town. / The oldest mention of the town is in a letter written in {year}.
      In those years it was only a row of houses beside the ford, with a chapel of {material}. / At first there was a ferry, an inn and a chapel of {material}, and nothing more.
      In {year2} a fire burned {many} houses, and the streets were built again in {material}. / A flood of the {*river} carried away the old bridge in {year2}, and {few} families left the town.
      The {*building} was opened in {year3}, and trade with {*town3} grew quickly. / When the railway came in {year3}, the carts to {*town3} stopped, and the market became larger.
      {*someone} was born here and later wrote about the town with great love. / The most famous child of the town is {*someone}, who was born in a house near the market.`,
    ),
    section(
      'Geography',
      `
      To the south the land rises slowly towards {*hill}. / From the church tower one can see {*hill} and, on clear days, {*lake}.
      The fields around the town are stony, and {*plant} grows along every path. / On the meadows by the river {*plant} flowers in {plant.month}.
      Winters are mild and wet, and the summers are seldom hot. / The {season} is often foggy, because cold air comes down from {*lake}.
      The {*animal} is seen on the roofs, and the {*animal2} lives under the old bridge. / In the gardens the {*animal} is a common guest, and people leave food for it.`,
    ),
    section(
      'Economy',
      `
      Until {year3} most families lived from {*trade}. / For two hundred years {*trade} gave work to most of the town.
      Every {worker} of the town bought {stuff} from the merchants of {*town3}. / The guild of each {worker} kept its own hall beside the market.
      Today there are {few} workshops left, and the others have become shops and inns. / Only {few} workshops are still open, and they sell mostly to visitors.
      The market on Saturday sells {food}, {food2} and {food3}. / Farmers bring {food}, {food2} and {food3} to the market every week.`,
    ),
    section(
      'Culture',
      `
      The {*festival} is the great day of the year, although it began in {festival.town}. / Each {month} the town keeps the {*festival} with music and a long table in the street.
      Children carry branches of {*plant2}, and everyone eats {*dish}. / On that day the bakers give away {*dish} to every child.
      The town library keeps {many} letters of {*someone2}. / A small museum shows the tools of the {worker} and a portrait of {*someone2}.`,
    ),
  ],
  river: [
    section(
      '',
      `
      The '''River {name}''' is a river in the Vale of Mosse. / The '''{name}''' is a river of {county} in the Vale of Mosse.
      It rises on the slopes of {*hill} and flows for {~km2} before it joins the {*river}. / It is {~km2} long and runs from {*hill} to the {*river}.
      The largest towns on its banks are {*town} and {*town2}. / It passes {*town} and {*town2} on its way to the sea.`,
    ),
    section(
      'Course',
      `
      The spring lies in a small bog, {~m2} above the sea. / The river begins as {few} streams that meet {~m2} above the sea.
      In its upper part the water is fast and clear, and the bed is full of stones. / The first part of the valley is narrow and dark.
      Below {*town} the valley opens, and the river turns slowly between wide meadows. / After {*town} it becomes slow and broad, with islands of reed.
      A weir of {material} was built there in {year2} for the mill of {*someone}. / In {year2} the farmers dug a canal to {*lake}, which still carries water in {season}.
      In {season} the river often leaves its bed and covers the road to {*town3}. / The highest flood was measured in {year3}, when the water stood {~cm} deep in the market of {*town3}.`,
    ),
    section(
      'Wildlife',
      `
      Fishermen catch {fish} below the weir and eel in the slow water. / The river is rich in {fish}, and fishing is allowed from {month} to {month2}.
      The {*animal} nests in the banks, and the {*animal2} hunts there at dusk. / On quiet mornings one can see the {*animal} and, with luck, the {*animal2}.
      Where the water is slow, {*plant} covers the surface. / Along the banks {*plant} and {*plant2} grow in thick green walls.
      Since {year4} the water has become cleaner, and the {*animal2} has come back. / In {year4} a party of volunteers from {*town} planted willows along the bank.`,
    ),
    section(
      'Bridges',
      `
      The oldest bridge over the river is at {*town}. / There are {few} bridges, of which the bridge of {*town} is the oldest.
      It was built of {material} in {year} and widened in {year3}. / Its arches of {material} were finished in {year}, after {few} years of work.
      Before that, travellers paid one penny to the ferryman. / In earlier times a ferry carried people, sheep and carts.
      The {*building} stands a short walk downstream. / From the bridge a path leads to the {*building}.`,
    ),
  ],
  hill: [
    section(
      '',
      `
      '''{title}''' is a hill in the county of {county}, {~m2} high. / '''{title}''' is the highest hill between {*town} and {*town2}, at {~m2}.
      The {*river} rises on its northern side. / Its southern slope falls steeply towards {*lake}.`,
    ),
    section(
      'Description',
      `
      The top is flat and bare, and the rock is {material}. / Seen from {*town}, the hill looks like a sleeping animal.
      Sheep graze on the lower slopes from {month} to {month2}. / On the lower slopes there are small farms with walls of {material}.
      {Plant} and {*plant2} grow among the stones. / In {season} the slopes are {plant.colour} with {*plant}.
      The {*animal} breeds in the cliffs every year. / Walkers often meet the {*animal}, which is not afraid of people here.
      A path of {~km} leads to the top from {*town2}. / The walk to the top takes about {few} hours from {*town2}.`,
    ),
    section(
      'History',
      `
      A fire was lit on the top in {year} to warn the vale of strangers. / In {year} a watch tower was built on the top, but nothing of it is left.
      {*someone} drew the first good map of the hill in {year2}. / In {year2} the walker {*someone} described the hill in a short book.
      For a long time people cut {stuff} here for the {worker} of {*town}. / Until {year3} a small mine gave stone for the {*building}.
      Since {year4} the hill has been protected, and fires are not allowed. / In {year4} the county bought the hill and opened it to everyone.
      On the first Sunday of {month2} people climb it to sing, as they do at the {*festival}. / An old song says that the {*animal2} sleeps under the hill until the last winter.`,
    ),
  ],
  lake: [
    section(
      '',
      `
      '''{title}''' is a lake in {county}, {~km} from {*town}. / '''{title}''' is a shallow lake between {*town} and {*town2}.
      It is fed by the {*river} and is {~m} deep. / The {*river} flows through it from north to south, and its greatest depth is {~m}.`,
    ),
    section(
      'Nature',
      `
      In {season} thousands of birds rest on the water, among them the {*animal}. / The {*animal} and the {*animal2} breed on the small island in the middle.
      The shore is covered with {*plant} and {*plant2}. / On the eastern shore {*plant} flowers from {plant.month} to {plant.month2}.
      The water is brown from the bogs, but it is clean, and {fish} live in it. / The lake holds many {fish}, and the largest weighed {~kg}.
      In cold winters the ice is strong enough for carts. / The lake freezes about once in {few} years.`,
    ),
    section(
      'People',
      `
      A village stood here until {year}, when the water rose. / Stone tools were found on the shore in {year3}.
      Fishermen from {*town} hold the right to fish, given to them in {year}. / Since {year2} the right to fish has belonged to the families of {*town2}.
      In {year2} {*someone} wanted to drain the lake for farm land, but the plan failed. / The painter {*someone} lived on the shore from {year2} and painted the lake {many} times.
      Today a path of {~km} goes round the lake. / Small boats can be rented near the {*building} from {month} on.
      Visitors come for the {*festival} and for the {*dish} of the lake inn. / The inn on the shore is known for its {*dish}.`,
    ),
  ],
  plant: [
    section(
      '',
      `
      The '''{name}''' is a wild plant of the Vale of Mosse. / '''{title}''' is a plant that grows on {habitat} in the Vale of Mosse.
      It grows to a height of {~cm} and has {colour} flowers. / It has {colour} flowers and narrow leaves, and it reaches {~cm}.
      It is the badge of the town of {*town}. / It is most common around {*town} and {*lake}.`,
    ),
    section(
      'Description',
      `
      The stem is thin and a little hairy. / The stem is hollow and breaks easily.
      The leaves stand in pairs and smell of {food} when they are rubbed. / The leaves are long, dark green above and pale below.
      The flowers open in {month} and last until {month2}. / It flowers from {month} to {month2}, and the seeds are ripe in {season}.
      Each flower has {few} petals and a {colour} centre. / The {colour} petals close at night and when it rains.
      The seeds are carried by the wind or by the {*animal}. / The {*animal} eats the seeds, and the moths visit the flowers at dusk.`,
    ),
    section(
      'Habitat',
      `
      It likes {habitat} and needs much light. / It grows on {habitat}, often together with {*plant}.
      On {*hill} it is found up to {~m2}. / Large numbers grow along the {*river} below {*town2}.
      It has become rare since {year4}, because many meadows were drained. / After {year4} it spread along the new roads of {county}.`,
    ),
    section(
      'Uses',
      `
      In former times every {worker} used it with {stuff}. / The {worker} of the old days mixed its root with {stuff}.
      The young leaves are eaten with {food} and {food2}. / A tea of the dried flowers was given to children who could not sleep.
      {*someone} described its use in a book of {year2}. / The doctor {*someone} wrote in {year2} that it heals everything except a bad temper.
      It is also part of the {*dish} that is eaten at the {*festival}. / At the {*festival} girls and boys wear it on their hats.`,
    ),
  ],
  animal: [
    section(
      '',
      `
      The '''{name}''' is an animal of the Vale of Mosse. / The '''{name}''' lives on {habitat} in all counties of the Vale of Mosse.
      It is easily known by its {colour} mark and its quick step. / It is shy and is mostly seen in the early morning.
      The coat of arms of {*town} shows it with a branch of {*plant}. / There are many old songs about it, above all in {*town}.`,
    ),
    section(
      'Description',
      `
      A grown one is {~cm} long. / It reaches a length of {~cm}, and the females are larger than the males.
      In {season} it becomes darker, and in {season2} it is almost grey. / The young are grey and get their colours after {few} months.
      Its voice is a low call that is repeated {few} times. / It makes little noise, but it warns the others with a short, high cry.`,
    ),
    section(
      'Way of life',
      `
      It eats seeds, insects and the roots of {*plant2}. / Its food is {*plant2}, small snails and whatever it finds near houses.
      The young are born in {month}, mostly {few} at a time. / In {month} it builds a nest of moss and hair on {habitat}.
      Both parents feed the young until {month2}. / The young leave their parents in {month2}.
      Its enemies are the {*animal} and the {*animal2}. / It fears the {*animal}, but it often shares its home with the {*animal2}.
      In {season} it moves from the {*river} to the slopes of {*hill}. / It stays all year near {*lake} and does not travel.`,
    ),
    section(
      'People',
      `
      It was hunted until {year3} for its skin. / Farmers did not love it, because it takes {food} from the barns.
      {*someone} kept {few} of them in a garden at {*town2} and wrote down all that they did. / The first exact drawing was made by {*someone} in {year2}.
      Since {year4} it has been protected in {county}. / In {year4} volunteers counted {people} of them between {*town2} and {*town3}.
      A saying of the vale goes that whoever hurts one will never finish a {*dish}. / At the {*festival} a child dressed as this animal leads the dance.`,
    ),
  ],
  trade: [
    section(
      '',
      `
      '''{title}''' is one of the old trades of the Vale of Mosse. / '''{title}''' has been a trade of the Vale of Mosse since {year}.
      A person who does this work is called a {worker}. / Whoever learned it for {few} years was called a {worker}.
      Its centre was the town of {*town}, and later also {*town2}. / The best work came from {*town} on the {*river}.`,
    ),
    section(
      'Tools and materials',
      `
      The {worker} works with {tool} and {stuff}. / The most important tool is {tool}, and the material is {stuff}.
      Good {stuff} came from {county}, and it was carried on the {*river}. / For a long time {stuff} was bought at the market of {*town3}.
      The material must be kept dry until {month}. / It is prepared in {season} and used in {season2}.
      A careful {worker} needed {few} days for one piece. / A good worker could finish {many} pieces in a month.`,
    ),
    section(
      'History',
      `
      The guild was founded in {year} and had {many} members. / The rules of the guild were written down in {year}.
      In {year2} {*someone} found a way to do the work in half the time. / The workshop of {*someone}, opened in {year2}, was the largest of all.
      After {year3} cheaper goods came from the cities, and many workshops closed. / Machines took over most of the work after {year3}.
      In {year4} a school was opened near the {*building} to keep the trade alive. / Since {year4} the trade has been taught again in {*town2}.`,
    ),
    section(
      'Customs',
      `
      At the {*festival} the youngest {worker} carries the flag of the guild. / On the day of the {*festival} nobody may work.
      A new master paid for {*dish} and beer for all the others. / When a learner became a master, everyone ate {*dish} at one table.
      The sign of the trade is a {colour} ring with a branch of {*plant}. / Above the door of the workshop hung a bunch of {*plant} for luck.
      An old rule says that one must never begin a piece on a Friday. / It is said that the {*animal} brings bad luck to a workshop.`,
    ),
  ],
  dish: [
    section(
      '',
      `
      The '''{name}''' is a dish of the Vale of Mosse. / '''{title}''' is a traditional dish from {*town} in {county}.
      It is made of {food}, {food2} and {food3}. / Its main parts are {food} and {food2}, and some cooks add {food3}.
      People eat it in {season}, above all at the {*festival}. / It is eaten at the {*festival} and on cold days in {season}.`,
    ),
    section(
      'Preparation',
      `
      First {food} and {food2} are cooked slowly in a deep pot. / The cook begins with {food} and lets it rest for {few} hours.
      Then {food3} is added with a little salt water. / After that {food3} is stirred in, and the pot is taken from the fire.
      It is baked for about {few} hours in a pot of {stuff}. / It stays on the stove until the house smells of it.
      In {*town2} the top is covered with leaves of {*plant}. / The people of {*town2} add {*plant}, which gives it a {colour} colour.
      It is served hot with bread and sour apples. / It is served cold on the next day, with a slice of bread.`,
    ),
    section(
      'History',
      `
      The first recipe was printed in {year2} in a book by {*someone}. / {*someone} wrote the oldest recipe in a letter of {year2}.
      It began as the food of the poor, and every {worker} carried it to work. / Each {worker} of {*town3} took it along in a wooden box.
      In {year3} the inn at the {*building} made it famous. / Since {year3} it has been on the table of every inn along the {*river}.
      In {year4} a prize was given for the best one, and a baker from {*town3} won it. / A contest has been held in {*town3} since {year4}.`,
    ),
  ],
  festival: [
    section(
      '',
      `
      The '''{name}''' is a festival in the Vale of Mosse. / The '''{name}''' is kept every year in {*town}.
      It takes place in {month} and lasts {few} days. / It begins on the first Saturday of {month} and ends {few} days later.
      About {people} people come to it. / Guests come from {*town2}, {*town3} and from all of {county}.`,
    ),
    section(
      'Course',
      `
      In the morning the bells ring, and the children walk to the {*building}. / It starts with a walk along the {*river} to the {*building}.
      The oldest {worker} of the town opens the market and gives a short speech. / A {worker} leads the walk and carries a branch of {*plant}.
      At noon a long table is set in the street, and all eat {*dish}. / Everyone brings {food} and {food2}, and {*dish} is shared at noon.
      In the evening there is music, and the last dance belongs to the old people. / At night {many} lamps float down the river.
      Whoever finds the wooden {*animal} in the straw is king for a day. / The prize of the race is a {*animal} made of {stuff}.`,
    ),
    section(
      'Origin',
      `
      The festival was first held in {year}. / A letter of {year} tells of the festival for the first time.
      It recalls the year in which the {*river} did not flood. / It is said to remember the end of a hard {season}.
      In {year2} it was forbidden, because there had been too much noise. / {*someone} wanted to end it in {year2}, but nobody listened.
      It was held again in {year3}, when {*someone2} paid for the music. / Since {year3} a committee of {few} people has prepared it.
      In {year4} rain fell for the whole festival, and still everybody stayed. / The festival of {year4} was the largest so far.`,
    ),
  ],
  person: [
    section(
      '',
      `
      '''{name}''' ({born} – {died}) was a {worker} and writer from {*town}. / '''{name}''' ({born} – {died}) was a {worker} of the Vale of Mosse.
      {last} is best known for a book about {*plant}. / {last} made the first map of the {*river}. / {last} is remembered for the plans of the {*building}.`,
    ),
    section(
      'Life',
      `
      {last} was born in {*town} in {born}, as the youngest of {few} children. / Born in {born} near {*hill}, {last} grew up in a poor house.
      The father was a {worker}, and the mother sold {food} at the market. / The family lived from {*trade}, and the house was full of {stuff}.
      At the age of twelve {last} went to {*town2} to learn {*trade2}. / The village teacher noticed the child and paid for a school in {*town2}.
      There {last} met {*someone}, who became a friend for life. / In those years a meeting with {*someone} changed everything.
      After {few} years of travel {last} came back and settled in {*town3}. / Later {last} moved to {*town3} and opened a workshop there.
      {last} died in {died} and was buried on the slope of {*hill}. / In {died} {last} died after a short illness, in a room above {*lake}.`,
    ),
    section(
      'Work',
      `
      The first book spoke of {*trade2} and was read by few people. / The early letters describe the life of every {worker} in {county}.
      The second book, on the {*animal}, made the name known everywhere. / Much better known is the long poem on the {*animal}.
      {last} wrote {many} short pieces on {food}, weather and {*plant2}. / In {many} notebooks there are drawings of {*plant2} and of old bridges.
      {*someone2} called this work honest and clear. / Not all were pleased, and {*someone2} found the style too dry.`,
    ),
    section(
      'Legacy',
      `
      A street in {*town} bears the name of {last}. / The library of {*town2} keeps the letters and a wooden chair.
      Every year at the {*festival} a page from the book is read aloud. / Since {year4} a prize with this name has been given to young writers.
      A plain stone in front of the {*building} recalls the birth. / The face of {last} was on a stamp in {year4}.`,
    ),
  ],
  building: [
    section(
      '',
      `
      The '''{title}''' is a {type} in {*place}. / The '''{title}''' is the old {type} of {*place}, in the county of {county}.
      It was built in {year2} of {material}. / It was finished in {year2} after {few} years of work, and its walls are {material}.
      With a height of {~m}, it can be seen from {*hill}. / It stands beside the {*river} and is {~m} high.`,
    ),
    section(
      'Architecture',
      `
      The plan was drawn by {*someone}, who had been a {worker}. / The master of the work was {*someone}.
      The front has {few} windows and a door of dark wood. / Above the door there is a {*animal} cut in stone.
      The inside is plain, and the floor shows a ring of {*plant}. / Inside, the ceiling is painted with {*plant} and {*plant2}.
      In {season} the light falls through a round window on the opposite wall. / A narrow stair of {many} steps leads to the roof.`,
    ),
    section(
      'History',
      `
      An older {type} stood here in {year}, but it was too small. / In {year} the place still belonged to a farm.
      The work cost more than was planned, and the people of {*place} paid with {food}. / Every family of {*place} gave one day of work in each month.
      A fire damaged the roof in {year3}. / In {year3} a storm broke the roof, and {stuff} was used to mend it.
      For some years it served as a store for {food2} and {food3}. / During the hungry years it was a school and a kitchen.
      Since {year4} it has been a museum of {*trade}. / In {year4} the {type} was repaired, and the {*festival} is now held in front of it.`,
    ),
  ],
};
