/** One sentence for each line, as a list of its alternatives, which ` / ` separates. */
export const slots = (text) =>
  text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(' / '));

export const section = (heading, text) => ({ heading, slots: slots(text) });
