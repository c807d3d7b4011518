// Generated from schemas/stages/clean.schema.json by `npm run generate`.

export interface Config {
  readonly languages: string[];
  readonly min_language_score: number;
  readonly filters: {
    readonly gopher_repetition: {
      readonly enabled: boolean;
      readonly max_duplicate_lines: number;
      readonly max_duplicate_paragraphs: number;
      readonly max_duplicate_line_characters: number;
      readonly max_duplicate_paragraph_characters: number;
      readonly max_top_ngrams: number[];
      readonly max_duplicate_ngrams: number[];
    };
    readonly gopher_quality: {
      readonly enabled: boolean;
      readonly min_words: number;
      readonly max_words: number;
      readonly min_mean_word_length: number;
      readonly max_mean_word_length: number;
      readonly max_symbol_word_ratio: number;
      readonly max_bullet_lines: number;
      readonly max_ellipsis_lines: number;
      readonly min_alphabetic_words: number;
      readonly min_stop_words: number;
    };
    readonly c4: {
      readonly enabled: boolean;
      readonly min_sentences: number;
      readonly min_line_words: number;
      readonly max_word_length: number;
      readonly drop_curly_bracket: boolean;
      readonly drop_lorem_ipsum: boolean;
      readonly drop_javascript_lines: boolean;
      readonly drop_policy_lines: boolean;
      readonly require_terminal_punctuation: boolean;
    };
    readonly fineweb: {
      readonly enabled: boolean;
      readonly min_punctuated_lines: number;
      readonly max_short_lines: number;
      readonly short_line_length: number;
      readonly short_line_length_unspaced: number;
      readonly max_duplicate_line_characters: number;
      readonly max_newline_word_ratio: number;
    };
  };
  readonly pii: {
    readonly enabled: boolean;
    readonly email: string;
    readonly ip_address: string;
    readonly phone_number: string;
  };
  readonly evaluation_sets?: string | string[];
  readonly evaluation_ngram: number;
  readonly keep_rejects: boolean;
}
