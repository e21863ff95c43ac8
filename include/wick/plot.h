/* Pictures of what a model learned: curves, predictions, the confusion matrix.  Each is a tensor uint8 (3, H, W) that
   wk_vision_write_png writes. */
#ifndef WICK_PLOT_H
#define WICK_PLOT_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Pictures enlarged, each with its predicted class: green where it is the true one, red, with the true one beside it,
   where not.  images (N, 1 or 3, H, W) or (N, H, W), uint8, or floats from 0 to 1; targets and predictions int64 (N,).
   A picture (3, H', W') for wk_vision_write_png. */
typedef struct wk_plot_predictions_args {
    wk_tensor *images, *targets, *predictions;
    const char *const *classes;
    int64_t class_count;
    int64_t nrow;      // pictures in a row; 8
    int64_t scale;     // pixels for each of the picture's; 0: as it looks good
    const char *title; // may be NULL
} wk_plot_predictions_args;
#define wk_plot_predictions(...) wk_plot_predictions_with((wk_plot_predictions_args){.nrow = 8, .images = __VA_ARGS__})
wk_tensor *wk_plot_predictions_with(wk_plot_predictions_args args);

/* The confusion matrix: how often true class (row) was predicted as (column); shaded by the part of the row. */
typedef struct wk_plot_confusion_matrix_args {
    wk_tensor *targets, *predictions; // int64 (N,)
    const char *const *classes;
    int64_t class_count;
    const char *title; // may be NULL
} wk_plot_confusion_matrix_args;
#define wk_plot_confusion_matrix(...)                                                                                  \
    wk_plot_confusion_matrix_with((wk_plot_confusion_matrix_args){.targets = __VA_ARGS__})
wk_tensor *wk_plot_confusion_matrix_with(wk_plot_confusion_matrix_args args);

/* Curves over one or two panels side by side: each curve is count points (x[i], y[i]); NaNs are gaps.

       wk_plot_curves(
           {.title = "Loss", .x_label = "step", .curves = {{"training", steps, losses, n, .smooth = true}}},
           {.title = "Accuracy", .x_label = "epoch", .curves = {{"test", epochs, accuracies, m, .markers = true}}}) */
#define WK_PLOT_CURVES 6
typedef struct wk_plot_curve {
    const char *name; // in the legend
    const double *x, *y;
    int64_t count;
    bool markers; // a dot at each point
    bool smooth;  // noisy: drawn faintly, with its running mean over it
} wk_plot_curve;
typedef struct wk_plot_panel {
    const char *title, *x_label, *y_label; // may be NULL
    wk_plot_curve curves[WK_PLOT_CURVES];
    bool percent; // y from 0 to 1 is told as 0% to 100%
} wk_plot_panel;
#define wk_plot_curves(...) wk_plot_curves_with((wk_plot_panel[]){__VA_ARGS__}, WK_COUNT(wk_plot_panel, __VA_ARGS__))
wk_tensor *wk_plot_curves_with(const wk_plot_panel *panels, int64_t count);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
