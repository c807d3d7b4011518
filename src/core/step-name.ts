/** `signatures` for step `documents/signatures@2` of `documents@2`. */
export const stepName = (composite: string, step: string): string =>
  step.slice(composite.replace(/@\d+$/, '').length + 1).replace(/@\d+$/, '');
