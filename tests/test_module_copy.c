/* Modules copied whole, emptied, and put together anew: deepcopy, to_empty, slices, insertions, lists of parameters. */
#include <stdio.h>

#include "net.h"

/* ---------------------------------------------------------------- deepcopy */

static void a_copy_computes_the_same(void **state)
{
    (void)state;
    wk_scope
    {
        wk_module *layer = wk_nn_transformer_encoder_layer(8, 2, 16, .norm_first = true, .batch_first = true);
        wk_module_eval(layer);
        wk_tensor *x = wk_randn((2, 5, 8));
        wk_manual_seed(4);
        wk_module *copy = wk_module_deepcopy(layer);
        wk_tensor *drawn = wk_rand((3));
        wk_manual_seed(4);
        assert_true(wk_equal(drawn, wk_rand((3)))); // none was drawn for the copy
        assert_string_equal(copy->type, "transformer_encoder_layer");
        assert_false(copy->training);
        wk_tensor *expected = wk_forward(layer, x);
        assert_true(wk_equal(wk_forward(copy, x), expected));
        wk_nn_transformer_encoder_layer *fields = (void *)copy;
        assert_ptr_equal(fields->linear1, wk_module_get_submodule(copy, "linear1"));
        assert_ptr_not_equal(fields->linear1, wk_module_get_submodule(layer, "linear1"));
        wk_no_grad wk_fill_(wk_module_get_parameter(copy, "linear1.weight"), 0);
        assert_true(wk_equal(wk_forward(layer, x), expected));
        assert_false(wk_equal(wk_forward(copy, x), expected));
        wk_module_free(layer);
        assert_non_null(wk_forward(copy, x));
        wk_module_free(copy);
    }
}

typedef struct tied {
    wk_module_base base;
    wk_module *embed, *head;
    wk_module *again[2]; // registered under no name
    wk_tensor *weight;   // embed's
    wk_tensor *outside;  // in no tree
    wk_tensor *reserved, *table;
    int64_t number;
} tied;

static tied *tied_new(wk_tensor *outside)
{
    tied *self = wk_module_new(tied, NULL);
    wk_add_module(self, embed, wk_nn_linear(3, 3, .bias = false));
    wk_add_module(self, head, wk_nn_linear(3, 3, .bias = false));
    self->weight = ((wk_nn_linear *)self->embed)->weight;
    wk_module_register_parameter(self->head, "weight", self->weight);
    wk_add_parameter(self, reserved, NULL);
    wk_scope
    wk_add_buffer(self, table, wk_ones((2)), .persistent = false);
    self->again[0] = self->head;
    self->again[1] = self->embed;
    self->outside = outside;
    self->number = 7;
    return self;
}

static void what_is_shared_stays_shared(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *outside = wk_ones((1));
        tied *model = tied_new(outside);
        wk_backward(wk_sum(wk_forward(model->head, wk_ones((1, 3)))));
        tied *copy = wk_module_deepcopy(model);
        assert_ptr_equal(copy->weight, ((wk_nn_linear *)copy->embed)->weight);
        assert_ptr_equal(copy->weight, ((wk_nn_linear *)copy->head)->weight);
        assert_ptr_not_equal(copy->weight, model->weight);
        assert_ptr_equal(copy->again[0], copy->head);
        assert_ptr_equal(copy->again[1], copy->embed);
        assert_ptr_equal(copy->outside, outside);
        assert_int_equal(copy->number, 7);
        assert_null(copy->reserved);
        assert_true(copy->weight->requires_grad && copy->weight->is_parameter && !copy->table->requires_grad);
        assert_ptr_not_equal(copy->weight->grad, model->weight->grad);
        assert_true(wk_equal(copy->weight->grad, model->weight->grad));
        CHECK_KEYS(wk_module_named_parameters(copy), "embed.weight");
        CHECK_KEYS(wk_module_named_buffers(copy), "table");
        wk_dict *values = wk_module_state_dict(copy);
        CHECK_KEYS(values, "embed.weight", "head.weight"); // the buffer is not persistent there either
        wk_dict_free(values);
        wk_add_parameter(copy, reserved, wk_ones((2))); // its field is known
        assert_ptr_equal(copy->reserved, wk_module_get_parameter(copy, "reserved"));
        wk_module_free(copy);
        wk_module_free(model);
    }
}

static wk_tensor *twice(wk_module *module, wk_tensor *x, wk_tensor *y, void *context)
{
    (void)module, (void)x, (void)context;
    return wk_mul(y, 2);
}

static void hooks_are_copied(void **state)
{
    (void)state;
    wk_scope
    {
        wk_module *model = wk_nn_identity();
        const wk_hook_handle handle = wk_module_register_forward_hook(model, twice, NULL);
        wk_module *copy = wk_module_deepcopy(model);
        wk_hook_remove(handle);
        assert_true(wk_item(wk_forward(copy, wk_ones((1)))) == 2);
        assert_true(wk_item(wk_forward(model, wk_ones((1)))) == 1);
        wk_module_free(copy);
        wk_module_free(model);
    }
}

static void a_copy_that_fails_leaves_nothing(void **state)
{
    (void)state;
    wk_error err;
    net *model = net_new();
    wk_try(&err) assert_null(wk_module_deepcopy(model)); // net has a .free
    assert_non_null(strstr(err.message, ".free of its own"));
    wk_module_free(model);
    wk_scope
    {
        tied *of = tied_new(NULL);
        bool done = false;
        for (int64_t allocation = 0; !done; allocation++) {
            wk_module_free(wk_module_deepcopy(of)); // the lists that a model keeps are there
            const int64_t before = wk_memory_get_stats().live_blocks;
            void *copy = NULL;
            wk_try(&err)
            {
                wk_memory_fail_after(allocation);
                copy = wk_module_deepcopy(of);
                wk_memory_fail_after(-1);
            }
            done = !err.set;
            assert_true(done == (copy != NULL));
            wk_module_free(copy);
            if (!done)
                assert_true(wk_memory_get_stats().live_blocks <= before);
        }
        wk_module_free(of);
    }
}

/* ---------------------------------------------------------------- to_empty */

static void emptied_tensors_stay_themselves(void **state)
{
    (void)state;
    wk_scope
    {
        wk_module *model = wk_nn_linear(3, 2);
        wk_tensor *weight = wk_module_get_parameter(model, "weight");
        const void *memory = wk_data_ptr(weight);
        wk_backward(wk_sum(wk_forward(model, wk_ones((1, 3)))));
        assert_ptr_equal(wk_module_to_empty(model, wk_cpu), model);
        assert_ptr_equal(((wk_nn_linear *)model)->weight, weight);
        assert_true(wk_data_ptr(weight) != memory && weight->requires_grad && !weight->grad);
        assert_int_equal(weight->numel, 6);
        wk_module_free(model);
    }
}

/* ---------------------------------------------------------------- containers */

static void lists_grow(void **state)
{
    (void)state;
    wk_module *list = wk_nn_module_list(wk_nn_linear(1, 1)), *second = wk_nn_linear(2, 2), *first = wk_nn_linear(9, 9);
    assert_ptr_equal(wk_nn_module_list_extend(list, (second, wk_nn_linear(3, 3))), list);
    assert_ptr_equal(wk_nn_module_list_insert(list, 0, first), list);
    wk_module *before_last = wk_nn_relu();
    assert_ptr_equal(wk_nn_module_list_insert(list, -1, before_last), list);
    assert_ptr_equal(wk_nn_module_list_index(list, 0), first);
    assert_ptr_equal(wk_nn_module_list_index(list, 2), second);
    assert_ptr_equal(wk_nn_module_list_index(list, 3), before_last);
    assert_ptr_equal(wk_module_get_submodule(list, "2"), second);
    assert_int_equal(((wk_nn_linear *)wk_nn_module_list_index(list, 4))->in_features, 3);
    const wk_modules named = wk_module_named_children(list);
    assert_int_equal(named.count, 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(atoi(named.names[i]), i);
    wk_error err;
    wk_try(&err) assert_null(wk_nn_module_list_insert(list, 6, second));
    assert_non_null(strstr(err.message, "out of range of 5"));
    wk_module_free(list);
}

static void a_slice_shares_its_modules(void **state)
{
    (void)state;
    const int64_t before = wk_memory_get_stats().live_blocks;
    wk_scope
    {
        wk_module *all = wk_nn_sequential(wk_nn_linear(4, 3), wk_nn_relu(), wk_nn_linear(3, 2), wk_nn_tanh());
        wk_tensor *x = wk_randn((5, 4));
        wk_module *front = wk_nn_sequential_slice(all, .stop = 2), *back = wk_nn_sequential_slice(all, -2);
        assert_true(wk_equal(wk_forward(back, wk_forward(front, x)), wk_forward(all, x)));
        CHECK_KEYS(wk_module_named_parameters(back), "2.weight", "2.bias"); // PyTorch's: names stay
        assert_ptr_equal(wk_module_get_submodule(back, "2"), wk_module_get_submodule(all, "2"));
        wk_module *none = wk_nn_sequential_slice(all, 3, 1);
        assert_int_equal(wk_module_children(none).count, 0);
        wk_module_free(none);
        wk_module_free(all);
        assert_int_equal(wk_forward(front, x)->shape[1], 3);
        wk_module_free(front);
        wk_module_free(back);
    }
    assert_int_equal(wk_memory_get_stats().live_blocks, before);
}

static void parameters_in_a_list(void **state)
{
    (void)state;
    wk_scope
    {
        wk_module *list = wk_nn_parameter_list(wk_ones((2, 3)), wk_zeros((4)));
        assert_ptr_equal(wk_nn_parameter_list_append(list, wk_ones((1))), list);
        CHECK_KEYS(wk_module_named_parameters(list), "0", "1", "2");
        assert_int_equal(wk_nn_parameter_list_index(list, -2)->numel, 4);
        assert_true(wk_nn_parameter_list_index(list, 0)->requires_grad);
        char text[300] = "";
        FILE *file = fmemopen(text, sizeof text, "w");
        wk_module_print(list, file);
        fclose(file);
        assert_string_equal(text, "parameter_list(\n"
                                  "    (0): Parameter containing: [float32 of size 2x3]\n"
                                  "    (1): Parameter containing: [float32 of size 4]\n"
                                  "    (2): Parameter containing: [float32 of size 1]\n"
                                  ")\n");
        wk_error err;
        wk_try(&err) assert_null(wk_nn_parameter_list_index(list, 3));
        assert_non_null(strstr(err.message, "out of range of 3 parameters"));
        wk_module *other = wk_nn_identity();
        wk_try(&err) assert_null(wk_nn_parameter_list_append(other, wk_ones((1))));
        wk_module_free(other);
        assert_non_null(strstr(err.message, "expected a wk_nn_parameter_list, got a identity"));
        wk_module_free(list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_computes_the_same),
        cmocka_unit_test(what_is_shared_stays_shared),
        cmocka_unit_test(hooks_are_copied),
        cmocka_unit_test(a_copy_that_fails_leaves_nothing),
        cmocka_unit_test(emptied_tensors_stay_themselves),
        cmocka_unit_test(lists_grow),
        cmocka_unit_test(a_slice_shares_its_modules),
        cmocka_unit_test(parameters_in_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
