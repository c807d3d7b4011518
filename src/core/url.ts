export const isUrl = (uri: string): boolean => /^https?:\/\//i.test(uri);
