import fc from 'fast-check';
import { expect, it } from 'vitest';
import { empty, IndexLists } from '../../../src/text/bpe/index-lists.ts';

it('holds what arrays hold, whatever is added to which list and drained when', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ list: fc.nat(4), item: fc.nat(), drains: fc.boolean() }), { maxLength: 300 }),
      (steps) => {
        const lists = new IndexLists();
        const heads = [empty, empty, empty, empty, empty];
        const arrays: number[][] = [[], [], [], [], []];
        for (const { list, item, drains } of steps) {
          if (drains) {
            expect([...lists.drain(heads[list]!)]).toEqual(arrays[list]!.toReversed());
            [heads[list], arrays[list]] = [empty, []];
          } else {
            heads[list] = lists.add(heads[list]!, item);
            arrays[list]!.push(item);
            expect(lists.first(heads[list])).toBe(item);
          }
        }
        heads.forEach((head, list) => expect([...lists.drain(head)]).toEqual(arrays[list]!.toReversed()));
      },
    ),
  );
});

it('takes items on while it is drained, and grows', () => {
  const lists = new IndexLists();
  let list = empty,
    other = empty;
  for (let item = 0; item < 200_000; item++) list = lists.add(list, item);
  let next = 199_999;
  for (const item of lists.drain(list)) {
    expect(item === next--).toBe(true);
    other = lists.add(lists.add(other, item), item);
  }
  expect([...lists.drain(other)]).toHaveLength(400_000);
});
