/* An ordered dictionary of tensors by name, with texts beside them: what state_dict() gives in PyTorch and what a
   safetensors file holds.

       wk_dict *state = wk_module_state_dict(model);
       for (int64_t i = 0; i < wk_dict_count(state); i++)
           printf("%s\n", wk_dict_key_at(state, i));
       wk_dict_free(state);

   Tensors in it are retained: they live as long as the dictionary does.  Keys are copied and keep the order in which
   they were first set. */
#ifndef WICK_DICT_H
#define WICK_DICT_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct wk_dict wk_dict;

wk_dict *wk_dict_new(void);        // empty; NULL after an error; free it with wk_dict_free
void wk_dict_free(wk_dict *dict);  // NULL is fine
wk_dict *wk_dict_copy(const wk_dict *dict); // the same keys, tensors and texts

bool wk_dict_set(wk_dict *dict, const char *key,
                 wk_tensor *value); // a key there already keeps its place; false after an error
wk_tensor *wk_dict_get(const wk_dict *dict, const char *key);       // NULL, and no error, where there is none
bool wk_dict_remove(wk_dict *dict, const char *key);                // whether it was there
/* Several in one, for a file: update(all, part, "model.") sets what part has, texts too, under the prefix ("" or NULL:
   none); part(all, "model.") gives it back, without the prefix.  wk_dict_free it; false, NULL after an error. */
bool wk_dict_update(wk_dict *dict, const wk_dict *part, const char *prefix);
wk_dict *wk_dict_part(const wk_dict *dict, const char *prefix);
/* nn.modules.utils.consume_prefix_in_state_dict_if_present(dict, "module."): names that begin with the prefix lose it
   (a model inside DataParallel has it), the others stay.  False after an error: a name is there without it, too. */
bool wk_dict_consume_prefix(wk_dict *dict, const char *prefix);
int64_t wk_dict_count(const wk_dict *dict);
const char *wk_dict_key_at(const wk_dict *dict, int64_t index);     // in order; NULL out of range
wk_tensor *wk_dict_value_at(const wk_dict *dict, int64_t index);

/* Texts: the metadata of a safetensors file, numbers and names of a checkpoint. */
bool wk_dict_set_text(wk_dict *dict, const char *key, const char *text); // false after an error
const char *wk_dict_text(const wk_dict *dict, const char *key);          // NULL where there is none
int64_t wk_dict_text_count(const wk_dict *dict);
const char *wk_dict_text_key_at(const wk_dict *dict, int64_t index);
const char *wk_dict_text_at(const wk_dict *dict, int64_t index);
/* numbers as texts that give back the same bits */
bool wk_dict_set_number(wk_dict *dict, const char *key, double number);
double wk_dict_number(const wk_dict *dict, const char *key, double otherwise); // where there is none, or no number

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
