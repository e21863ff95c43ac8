/* Nodes that let go of what they save and compute it again when their backward asks for it: activation checkpointing.

   While a function runs for the first time, the nodes that it records keep headers without memory (and with history),
   and count themselves.  The first of them that is asked for a saved tensor has the function run again, recording; the
   nodes of the second run, in the same order, hand over their memory.  What saves nothing, as a cast, does not count:
   whether it is recorded depends on what was kept before. */
#ifndef WICK_AUTOGRAD_RECOMPUTE_H
#define WICK_AUTOGRAD_RECOMPUTE_H

#include "node.h"

typedef struct wk_recomputation wk_recomputation;
struct wk_recomputation {
    wk_object object;                               // held by the nodes of the first run
    bool (*again)(wk_recomputation *recomputation); // the second run; false after an error
    int recorded;                                   // nodes of the first run
    wk_node **nodes;                                // of the second run, retained; NULL where handed over
    int count, room;
};

/* what this thread's nodes are recorded for; nobody's: NULL */
typedef struct wk_recorder {
    wk_recomputation *recomputation;
    bool again;
} wk_recorder;
extern _Thread_local wk_recorder wk_recording;

bool wk_recomputation_add(wk_node *node);                     // a new node that saves; false after an error
bool wk_recompute(wk_node *node);                             // what it saved is there again; false after an error
void wk_recomputation_clear(wk_recomputation *recomputation); // before it is freed

/* a node of no graph that saves the tensors, which wk_saved gives back; NULL after an error */
wk_node *wk_node_saving(const char *name, wk_tensors tensors);

#endif
