/** Problems with the shares of selected tokens that become `<mask>` and random tokens. */
export function checkMaskShares({
  mask_replace_prob: mask,
  random_replace_prob: random,
}: {
  readonly mask_replace_prob: number;
  readonly random_replace_prob: number;
}): { readonly property: string; readonly message: string }[] {
  if (mask + random <= 1 + 1e-9) return [];
  return [
    {
      property: 'random_replace_prob',
      message: `mask_replace_prob and random_replace_prob add up to ${mask + random}; the sum must be at most 1`,
    },
  ];
}
