import { slots } from './section.mjs';

/** Sentences that repeat what other articles say, so that facts about the world appear in many places. */
export const surroundings = slots(`
  The town of {*town} is in the county of {town.county} and lies on the {*town.river}. / Nearby {*town} stands on the {*town.river} and lives from {*town.trade}. / The people of {*town} work in {*town.trade} and drink the water of the {*town.river}.
  From {*town2} it is {town2.km} kilometres to {*town2.town}, and the road follows the {*town2.river}. / In {*town2} the {*town2.festival} is kept every {town2.festival.month}. / The market of {*town2} sells {*town2.dish}, {town2.food} and {town2.food2}.
  The {*river} comes from {*river.hill} and passes {*river.town}. / In the {*river} there are {river.fish}, and the {*river.animal} nests on its banks. / The valley of the {*river} begins below {*river.hill}.
  The {*plant} has {plant.colour} flowers and grows on {plant.habitat}. / Children pick the {plant.colour} flowers of the {*plant} in {plant.month}. / On {plant.habitat} one finds the {*plant}, which is {plant.cm} centimetres high.
  The {*animal} lives on {animal.habitat} and eats {*animal.plant2}. / Those who walk along {animal.habitat} may hear the {*animal}. / The {*animal}, which is {animal.cm} centimetres long, was first drawn by {*animal.someone}.
  At the inn they serve {*dish}, made of {dish.food} and {dish.food2}. / The smell of {*dish}, with its {dish.food} and {dish.food2}, fills the streets. / A traveller should try the {*dish}, which is made of {dish.food}, {dish.food2} and {dish.food3}.
  In {festival.month} the roads are full, because the {*festival} is held in {*festival.town}. / The {*festival} in {*festival.town} begins in {festival.month}. / For the {*festival} every house in {*festival.town} hangs out {*festival.plant}.
  A {trade.worker} needs {trade.tool} and {trade.stuff} for {*trade}. / The word {trade.worker} means a person who works in {*trade} with {trade.stuff}. / In {*trade} one uses {trade.tool}, and the best {trade.stuff} comes from {*trade.town}.
  The {*building} in {*building.place} was built in {building.year2} of {building.material}. / On the way one passes the {*building}, a {building.type} of {building.material}. / The {building.type} called {*building} stands in {*building.place}.
  {*someone}, who was born in {*someone.town} in {someone.born}, passed here many times. / The {someone.worker} {*someone} of {*someone.town} mentioned the place in a letter. / In the notebooks of {*someone}, a {someone.worker} from {*someone.town}, the place is called quiet and friendly.
`);
