/* wick from C++: a model of one's own, trained through the functions that the macros call.  The macros with keywords are
   C's; their defaults are what stands in them, and C++ writes them down. */
#include <cmath>
#include <cstdio>
#include <stdexcept>

#include <wick.h>

static int failures;

static void expect(bool holds, const char *what)
{
    if (!holds) {
        std::printf("test_cplusplus: not so: %s\n", what);
        failures++;
    }
}

struct mlp {
    wk_module_base base;
    wk_module *fc1, *fc2;
    wk_tensor *scale;
};

static wk_module *linear(int64_t in, int64_t out)
{
    wk_nn_linear_args args = wk_nn_linear_args();
    args.in_features = in;
    args.out_features = out;
    args.bias = true;
    return wk_nn_linear_with(args);
}

static wk_tensor *gelu(wk_tensor *x)
{
    wk_gelu_args args = wk_gelu_args();
    args.x = x;
    args.approximate = "none";
    return wk_gelu_with(args);
}

static wk_tensor *mlp_forward(void *module, wk_tensor *x)
{
    mlp *self = static_cast<mlp *>(module);
    x = gelu(wk_forward(self->fc1, x)); // (B, 16)
    return wk_mul_with(wk_operand_tensor(wk_forward(self->fc2, x)), wk_operand_tensor(self->scale)); // (B, 3)
}

static mlp *mlp_new()
{
    wk_module_args args = wk_module_args();
    args.size = sizeof(mlp);
    args.type = "mlp";
    args.forward = mlp_forward;
    mlp *self = static_cast<mlp *>(wk_module_new_with(args));
    wk_add_module(self, fc1, linear(4, 16));
    wk_add_module(self, fc2, linear(16, 3));
    const int64_t sizes[] = {3};
    wk_factory_args ones = wk_factory_args();
    ones.size = wk_shape_of(1, sizes);
    ones.fill = wk_number_float(1);
    wk_add_parameter(self, scale, wk_full_with(ones));
    return self;
}

static wk_tensor *randn(int64_t rows, int64_t columns)
{
    const int64_t sizes[] = {rows, columns};
    wk_rand_args args = wk_rand_args();
    args.size = wk_shape_of(2, sizes);
    return wk_randn_with(args);
}

/* the class is the largest of the first three features */
static wk_tensor *classes(wk_tensor *x)
{
    wk_dim_args args = wk_dim_args();
    args.x = wk_narrow(x, 1, 0, 3);
    args.dim = 1;
    return wk_argmax_with(args);
}

static wk_tensor *cross_entropy(wk_tensor *logits, wk_tensor *target)
{
    wk_cross_entropy_args args = wk_cross_entropy_args();
    args.x = logits;
    args.target = target;
    args.ignore_index = -100;
    args.reduction = "mean";
    return wk_cross_entropy_with(args);
}

static void train()
{
    wk_manual_seed(0);
    mlp *model = mlp_new();
    expect(wk_module_parameter_count(model) == 4 * 16 + 16 + 16 * 3 + 3 + 3, "all parameters are registered");

    wk_optim_adam_args options = wk_optim_adam_args();
    options.params = wk_module_parameters(model);
    options.lr = 0.02;
    options.betas[0] = 0.9;
    options.betas[1] = 0.999;
    options.eps = 1e-8;
    options.weight_decay = 0.01;
    wk_optimizer *optimizer = wk_optim_adamw_with(options);

    double first = 0, last = 0;
    for (int step = 0; step < 200; step++) {
        wk_scope
        {
            wk_tensor *x = randn(64, 4), *loss = cross_entropy(wk_forward(model, x), classes(x)); // ()
            wk_optim_zero_grad_args zero = {optimizer, true};
            wk_optim_zero_grad_with(zero);
            wk_backward_args backward = wk_backward_args();
            backward.x = loss;
            expect(wk_backward_with(backward), "backward");
            wk_optim_step_args step_args = {optimizer, nullptr, nullptr};
            expect(wk_optim_step_with(step_args), "step");
            last = wk_item(loss);
            first = step == 0 ? last : first;
        }
    }
    expect(first > 0.8 && last < 0.3, "the loss falls");
    expect(model->scale->grad != nullptr, "a parameter of the struct's own has a gradient");

    wk_scope wk_no_grad
    {
        wk_module_eval(model);
        wk_tensor *y = wk_forward(model, randn(8, 4));
        expect(!y->requires_grad && y->shape[0] == 8 && y->shape[1] == 3, "evaluation");
    }
    wk_optim_free(optimizer);
    wk_module_free(model);
}

static void containers()
{
    void *const layers[] = {linear(4, 8), wk_nn_relu(), linear(8, 2)};
    const wk_module_tuple tuple = {3, layers};
    wk_module *net = wk_nn_sequential_with(tuple);
    int children = 0;
    wk_for_each_module (child, net)
        children += child->training;
    expect(children == 3, "children of a sequential");
    wk_module_free(net);
}

/* errors are told, and a scope is left by an exception too */
static void errors()
{
    wk_error error;
    wk_try (&error)
        wk_matmul(randn(2, 3), randn(2, 3));
    expect(error.set, "an error of a shape");

    const int64_t before = wk_memory_get_stats().live_tensors;
    try {
        wk_scope
        {
            randn(8, 8);
            throw std::runtime_error("out of the scope");
        }
    } catch (const std::runtime_error &) {
    }
    expect(wk_memory_get_stats().live_tensors == before, "what a scope made went with it");
    expect(wk_device_equal(wk_cpu, wk_device_from_name("cpu")), "a device by name");
    wk_tensor *x = wk_to_with({randn(2, 2), wk_target_dtype(wk_float64), false, false, wk_preserve_format,
                               wk_dtype_default});
    expect(x->dtype == wk_float64 && !wk_none.tensor, "a cast");
}

int main()
{
    wk_scope
    {
        train();
        containers();
        errors();
    }
    return failures > 0;
}
