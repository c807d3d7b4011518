export { checkMaskShares as check } from '../../src/text/mask-shares.ts';
