/* What tests of samplers and streams share: a data set of numbers, and the batches of an epoch as text. */
#ifndef WICK_TESTS_EPOCHS_H
#define WICK_TESTS_EPOCHS_H

#include <stdio.h>
#include <string.h>

#include "leaks.h"

/* item i is the number i */
static wk_dataset *numbers(int64_t n)
{
    wk_dataset *dataset = NULL;
    wk_scope
    {
        dataset = wk_data_tensor_dataset((wk_arange(n)));
    }
    assert_non_null(dataset);
    return dataset;
}

/* the items of an epoch, as text "1 3 5 7|9 4" */
static const char *epoch_text(wk_data_loader *loader)
{
    static char text[4096];
    text[0] = '\0';
    int64_t turns = 0;
    wk_for_each_batch (batch, loader) {
        assert_int_equal(batch.index, turns++);
        assert_int_equal(batch.size, wk_size(batch.x, 0));
        for (int64_t i = 0; i < batch.size; i++)
            sprintf(text + strlen(text), "%s%d",
                    i             ? " "
                    : batch.index ? "|"
                                  : "",
                    (int)((const int64_t *)wk_data_ptr(batch.x))[i]);
    }
    return text;
}

#endif
