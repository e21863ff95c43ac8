/* Every public function of modules, given what is no module: an error that says so, never a crash, and nothing kept.
   And a child that runs but was not registered: said once, and only where it is a mistake. */
#if __has_include(<valgrind/memcheck.h>)
#define WICK_HAVE_MEMCHECK 1
#endif
#include "core/fence.h"
#include "net.h"

#include "child.h"

/* ---------------------------------------------------------------- no module */

static wk_tensor *two_inputs(void *module, wk_tensor *x, wk_tensor *y)
{
    (void)module;
    return wk_add(x, y);
}
static void nothing(wk_module *module, void *context) { (void)module, (void)context; }
static wk_tensor *before_it(wk_module *module, wk_tensor *x, void *context) { return (void)module, (void)context, x; }
static wk_tensor *after_it(wk_module *module, wk_tensor *x, wk_tensor *y, void *context)
{
    return (void)module, (void)x, (void)context, y;
}

static wk_tensor *x;   // (2, 4)
static wk_dict *state; // empty
static FILE *nowhere;

/* m is what it is called with; but for wk_module_free(NULL), which is fine */
#define CALLS(CALL)                                                                                                    \
    CALL(wk_module_free(m))                                                                                            \
    CALL(wk_add_module((net *)m, missing, wk_nn_relu()))                                                               \
    CALL(wk_add_parameter((net *)m, scale, x))                                                                         \
    CALL(wk_add_buffer((net *)m, mean, x))                                                                             \
    CALL(wk_module_add_at(m, "name", NULL, wk_nn_relu()))                                                              \
    CALL(wk_parameter_add_at(m, "name", NULL, x))                                                                      \
    CALL(wk_buffer_add_at(m, "name", NULL, (wk_buffer_args){x, true}))                                                 \
    CALL(wk_module_add_module(m, "name", wk_nn_linear(2, 2)))                                                          \
    CALL(wk_module_register_parameter(m, "name", x))                                                                   \
    CALL(wk_module_register_buffer(m, "name", x))                                                                      \
    CALL(wk_forward(m, x))                                                                                             \
    CALL(wk_call(two_inputs, m, x, x))                                                                                 \
    CALL(wk_call_open(m, false))                                                                                       \
    CALL(wk_module_register_forward_pre_hook(m, before_it, NULL))                                                      \
    CALL(wk_module_register_forward_hook(m, after_it, NULL))                                                           \
    CALL(wk_module_parameters(m))                                                                                      \
    CALL(wk_module_buffers(m))                                                                                         \
    CALL(wk_module_named_parameters(m))                                                                                \
    CALL(wk_module_named_buffers(m))                                                                                   \
    CALL(wk_module_modules(m))                                                                                         \
    CALL(wk_module_children(m))                                                                                        \
    CALL(wk_module_first_child(m))                                                                                     \
    CALL(wk_module_get_submodule(m, "0"))                                                                              \
    CALL(wk_module_get_parameter(m, "weight"))                                                                         \
    CALL(wk_module_get_buffer(m, "mean"))                                                                              \
    CALL(wk_module_parameter_count(m))                                                                                 \
    CALL(wk_module_train(m))                                                                                           \
    CALL(wk_module_eval(m))                                                                                            \
    CALL(wk_module_apply(m, nothing, NULL))                                                                            \
    CALL(wk_module_requires_grad_(m, false))                                                                           \
    CALL(wk_module_zero_grad(m))                                                                                       \
    CALL(wk_module_to_dtype(m, wk_float64))                                                                            \
    CALL(wk_module_to_device(m, wk_cpu))                                                                               \
    CALL(wk_module_to_empty(m, wk_cpu))                                                                                \
    CALL(wk_module_to_like(m, x))                                                                                      \
    CALL(wk_module_to_memory_format(m, wk_channels_last))                                                              \
    CALL(wk_module_state_dict(m))                                                                                      \
    CALL(wk_module_load_state_dict(m, state))                                                                          \
    CALL(wk_module_print(m, nowhere))                                                                                  \
    CALL(wk_nn_sequential_append(m, wk_nn_relu()))                                                                     \
    CALL(wk_nn_module_list_append(m, wk_nn_relu()))                                                                    \
    CALL(wk_nn_sequential_index(m, 0))                                                                                 \
    CALL(wk_nn_module_list_index(m, 0))                                                                                \
    CALL(wk_nn_sequential(wk_nn_linear(2, 2), m, wk_nn_relu()))                                                        \
    CALL(wk_nn_module_list(m, wk_nn_linear(2, 2)))                                                                     \
    CALL(wk_nn_multihead_attention_forward(m, x, x, x))                                                                \
    CALL(wk_nn_transformer_encoder_layer_forward(m, x))                                                                \
    CALL(wk_nn_transformer_encoder_forward(m, x))                                                                      \
    CALL(wk_nn_lstm_forward_packed(m, (wk_nn_packed_sequence){x, x, NULL, NULL}))                                      \
    CALL(wk_nn_gru_forward_packed(m, (wk_nn_packed_sequence){x, x, NULL, NULL}))                                       \
    CALL(wk_nn_transformer_decoder_layer_forward(m, x, x))                                                             \
    CALL(wk_nn_transformer_decoder_forward(m, x, x))                                                                   \
    CALL(wk_nn_loss(m, x, x))                                                                                          \
    CALL(wk_summary(m, (2, 4)))                                                                                        \
    CALL(wk_module_deepcopy(m))                                                                                        \
    CALL(wk_nn_module_list_extend(m, (wk_nn_relu())))                                                                  \
    CALL(wk_nn_module_list_insert(m, 0, wk_nn_relu()))                                                                 \
    CALL(wk_nn_parameter_list_append(m, x))                                                                            \
    CALL(wk_nn_parameter_list_index(m, 0))                                                                             \
    CALL(wk_nn_sync_batch_norm_convert_sync_batchnorm(m))

#define FUNCTION(...)                                                                                                  \
    if (which == counted++) {                                                                                          \
        (void)(__VA_ARGS__);                                                                                           \
        return #__VA_ARGS__;                                                                                           \
    }
/* makes one of the calls; its text, or NULL where there are no more */
static const char *call(int which, void *m)
{
    int counted = 0;
    CALLS(FUNCTION)
    return NULL;
}
#define TEXT(...) #__VA_ARGS__ "\n"
static const char all_calls[] = CALLS(TEXT);

static void check_calls(const char *what, void *m)
{
    const char *text = "";
    for (int which = 0; text; which++) {
        const int64_t before = wk_memory_get_stats().live_blocks;
        wk_error err;
        wk_scope
        wk_try(&err) text = call(which, m);
        if (!text || (!m && strcmp(text, "wk_module_free(m)") == 0))
            continue;
        if (!err.set || !strstr(err.message, "module: expected a module, got "))
            fail_msg("%s of %s: expected an error, got \"%s\"", text, what, err.set ? err.message : "none");
        if (wk_memory_get_stats().live_blocks > before)
            fail_msg("%s of %s keeps %lld blocks", text, what, (long long)(wk_memory_get_stats().live_blocks - before));
    }
}

static void open_all(void)
{
    x = wk_ones((2, 4));
    state = wk_dict_new();
    nowhere = fopen("/dev/null", "w");
    assert_true(x && state && nowhere);
}

static void close_all(void)
{
    wk_dict_free(state);
    fclose(nowhere);
}

static void null_is_an_error(void **unused)
{
    (void)unused;
    wk_scope
    {
        open_all();
        check_calls("NULL", NULL);
        close_all();
    }
}

static void another_struct_is_an_error(void **unused)
{
    (void)unused;
    wk_scope
    {
        open_all();
        wk_module *model = wk_nn_linear(4, 2);
        wk_optimizer *optimizer = wk_optim_sgd(wk_module_parameters(model), .lr = 0.1);
        net zeros = {0};
        check_calls("a tensor", x);
        check_calls("an optimizer", optimizer);
        check_calls("a struct that wk_module_new has not made", &zeros);
        wk_optim_free(optimizer);
        wk_module_free(model);
        close_all();
    }
}

/* as long as nothing else has its memory; sanitizers and valgrind see it first */
static void a_freed_module_is_an_error(void **unused)
{
    (void)unused;
    if (WK_FENCES_ALWAYS || wk_under_valgrind())
        skip();
    wk_scope
    {
        open_all();
        net *model = net_new();
        void *freed = model;
        wk_module_free(model);
        assert_fails(wk_forward(freed, x), "or one that has been freed");
        assert_fails(wk_module_load_state_dict(freed, state), "or one that has been freed");
        close_all();
    }
}

/* each function of the headers that takes a module stands above */
static void none_is_forgotten(void **unused)
{
    (void)unused;
    const char *const headers[] = {"module", "nn", "summary"}, *const kinds[] = {"module", "list", "criterion", "self"};
    int found = 0;
    for (int i = 0; i < 3; i++) {
        char path[64], line[256], name[128];
        snprintf(path, sizeof path, "include/wick/%s.h", headers[i]);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        while (fgets(line, sizeof line, file))
            for (int kind = 0; kind < 4 && strncmp(line, "typedef", 7) != 0 && line[0] != ' '; kind++) {
                snprintf(name, sizeof name, "(void *%s", kinds[kind]);
                char *end = strstr(line, name), *start = end;
                while (start && start > line && (start[-1] == '_' || (start[-1] >= 'a' && start[-1] <= 'z')))
                    start--;
                if (!start || strncmp(start, "wk_", 3) != 0)
                    continue;
                *end = '\0';
                if (strcmp(start + strlen(start) - (strlen(start) > 5 ? 5 : 0), "_with") == 0)
                    end[-5] = '\0';
                found++;
                if (!strstr(all_calls, start))
                    fail_msg("%s: %s is not called here", path, start);
            }
        fclose(file);
    }
    assert_true(found > 30);
}

typedef struct {
    wk_module_base base;
} multihead_attention;

static void other_arguments(void **unused)
{
    (void)unused;
    wk_scope
    {
        open_all();
        wk_module *model = wk_nn_linear(4, 2);
        multihead_attention *own = wk_module_new(multihead_attention, NULL);
        assert_fails(wk_nn_multihead_attention_forward(model, x, x, x), "expected a wk_nn_multihead_attention");
        assert_fails(wk_nn_multihead_attention_forward(own, x, x, x), "expected a wk_nn_multihead_attention");
        assert_fails(wk_nn_transformer_encoder_layer_forward(model, x), "expected a wk_nn_transformer_encoder_layer");
        assert_fails(wk_nn_transformer_encoder_forward(model, x), "expected a wk_nn_transformer_encoder");
        assert_fails(wk_nn_transformer_decoder_layer_forward(model, x, x),
                     "expected a wk_nn_transformer_decoder_layer");
        assert_fails(wk_nn_transformer_decoder_forward(model, x, x), "expected a wk_nn_transformer_decoder");
        assert_fails(wk_nn_loss(model, x, x), "expected a loss");
        assert_fails(wk_module_apply(model, NULL, NULL), "function: expected a function");
        assert_fails(wk_module_register_forward_hook(model, NULL, NULL).module, "hook: expected a function");
        assert_fails(wk_module_register_forward_pre_hook(model, NULL, NULL).module, "hook: expected a function");
        assert_fails((wk_module_print(model, NULL), false), "file: expected a FILE");
        assert_fails(wk_module_new_with((wk_module_args){.size = sizeof(net)}), "type: expected a name");
        assert_fails(wk_module_new_with((wk_module_args){.type = "small"}), "size: expected");
        assert_fails(wk_module_load_state_dict(model, NULL), "state: expected a dict");
        assert_fails(wk_module_get_submodule(model, NULL), "path: expected a path");
        assert_fails(wk_module_to_dtype(model, wk_int64), "expected a floating");
        assert_fails(wk_module_to_like(model, NULL), "like: expected a tensor");
        wk_module_free(own);
        wk_module_free(model);
        close_all();
    }
}

/* ---------------------------------------------------------------- a child that is in no module */

typedef struct {
    wk_module_base base;
    wk_module *fc, *other, *heads;
} parent;

static wk_tensor *parent_forward(void *module, wk_tensor *input)
{
    parent *self = module;
    input = wk_forward(self->fc, input);
    if (self->heads)
        wk_for_each_module (head, self->heads)
            input = wk_forward(head, input);
    return self->other ? wk_forward(self->other, input) : input;
}

static parent *parent_new(void)
{
    parent *self = wk_module_new(parent, parent_forward);
    wk_add_module(self, fc, wk_nn_linear(4, 4));
    return self;
}

static void forgotten(void)
{
    parent *self = parent_new();
    self->other = wk_nn_linear(4, 4);
    for (int i = 0; i < 2; i++)
        wk_forward(self, wk_ones((2, 4)));
    wk_module_free(self->other);
    wk_module_free(self);
}

static void forgotten_list(void)
{
    parent *self = parent_new();
    self->heads = wk_nn_module_list(wk_nn_linear(4, 4), wk_nn_linear(4, 4));
    wk_forward(self, wk_ones((2, 4)));
    wk_module_free(self->heads);
    wk_module_free(self);
}

static void of_right(void)
{
    parent *self = parent_new(), *around = parent_new();
    wk_module *kinds[] = {wk_nn_linear(4, 4), wk_nn_linear(4, 4), wk_nn_linear(4, 4), wk_nn_relu(), wk_nn_linear(4, 4)};
    wk_module_requires_grad_(kinds[0], false);       // a teacher, frozen
    wk_module_parameters(kinds[1]);                  // a discriminator: its own optimizer has asked for them
    wk_module_eval(kinds[2]);                        // a network that measures
    for (int i = 0; i < 4; i++) {
        self->other = kinds[i];
        wk_forward(self, wk_ones((2, 4)));
    }
    wk_add_module(around, other, self);
    wk_add_module(around, heads, wk_nn_module_list(kinds[4]));
    self->other = kinds[4]; // registered elsewhere in the same tree
    wk_forward(around, wk_ones((2, 4)));
    parent *apart = parent_new();
    apart->other = wk_nn_linear(4, 4);
    wk_no_grad wk_forward(apart, wk_ones((2, 4))); // nothing would train
    wk_module_free(around);
    for (int i = 0; i < 4; i++)
        wk_module_free(kinds[i]);
    wk_module_free(apart->other);
    wk_module_free(apart);
}

static void a_child_in_no_module_is_told(void **unused)
{
    (void)unused;
    assert_int_equal(run(forgotten), 42);
    assert_shows("wick warning in forward: module: a linear runs inside a parent, but belongs to no module");
    assert_shows("hint: wk_add_module(self, field, child)");
    const char *once = strstr(output, "wick warning");
    assert_null(strstr(once + 1, "wick warning"));
    assert_int_equal(run(forgotten_list), 42);
    assert_shows("a linear runs inside a parent");
    assert_int_equal(run(of_right), 42);
    assert_string_equal(output, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_is_an_error),
        cmocka_unit_test(another_struct_is_an_error),
        cmocka_unit_test(a_freed_module_is_an_error),
        cmocka_unit_test(none_is_forgotten),
        cmocka_unit_test(other_arguments),
        cmocka_unit_test(a_child_in_no_module_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
