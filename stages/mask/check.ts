export { checkMaskShares as check } from '../../src/masking/mask-shares.ts';
