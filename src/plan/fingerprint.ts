import { canonicalJson, type ActionKey, type Manifest } from '../core/artifact.ts';
import { sha256 } from '../core/digest.ts';
import type { Artifact, Ingredients } from './action-cache.ts';

/** The fingerprint of an action: equal ingredients give an equal key on any machine. */
export function actionKey(ingredients: Ingredients): ActionKey {
  return sha256(`action 1\n${canonicalJson(ingredients)}`) as string as ActionKey;
}

/** A manifest with its digest. */
export function toArtifact(manifest: Manifest): Artifact {
  return { digest: sha256(canonicalJson(manifest)), manifest };
}

/**
 * Merges the manifests of a `map` stage's actions, in action order. Files of a stage with several actions are prefixed
 * with the action's number, so that equal names do not clash.
 */
export function concatenate(parts: readonly Artifact[], contract: string): Artifact {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  const files = parts.flatMap(({ manifest }, index) =>
    manifest.files.map((file) => ({ ...file, path: `${String(index).padStart(5, '0')}-${file.path}` })),
  );
  return toArtifact({
    version: 1,
    kind: first?.manifest.kind ?? 'dataset',
    contract: first?.manifest.contract ?? contract,
    files,
  });
}
