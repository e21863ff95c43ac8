/* What tests ask of dictionaries beyond wick/dict.h. */
#ifndef WICK_CORE_DICT_H
#define WICK_CORE_DICT_H

#include <wick/dict.h>

/* how many places finding a tensor looks at, at most: few, whatever the names are */
int64_t wk_dict_longest_search(const wk_dict *dict);

#endif
