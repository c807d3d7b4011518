/** Whether `uses:` or an input names a file or folder rather than a stage type or stage: `./a`, `../a`, `/a`. */
export const isPath = (text: string): boolean => /^\.{0,2}\//.test(text);

/** Whether `uses:` names a recipe, a user's own composite stage type. */
export const isRecipe = (uses: string): boolean => isPath(uses) && /\.ya?ml$/i.test(uses);
