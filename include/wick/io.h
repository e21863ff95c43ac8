/* Tensors in files.  PyTorch: torch.load, torch.save; safetensors.torch.save_file, load_file
   (https://huggingface.co/docs/safetensors); numpy.save, savez, load.

   Writing is whole or not at all: the bytes go to a new file beside the old one (path.wick.part), reach the disk, and
   take its place in one step; after an error, a kill or a loss of power, the old file is there as it was, and false
   says so.  While an error is pending nothing is written.  What a file holds is checked before it is used: a broken
   one, or one that was made to do harm, is an error that says what is wrong; one of another kind, what it is. */
#ifndef WICK_IO_H
#define WICK_IO_H
#pragma GCC system_header // see tensor.h

#include <wick/dict.h>
#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* The same bytes as Python's safetensors writes: widest dtype first, then by name, so that each tensor is aligned.  The
   dictionary's texts become __metadata__.  False after an error. */
bool wk_safetensors_save_file(const wk_dict *dict, const char *path);

/* The tensors of a file, in its order, and __metadata__ as texts; wk_dict_free lets it go; NULL after an error.  The
   file is mapped, not read: bytes come from the disk when they are first used, writes to the tensors stay in memory,
   and the mapping lasts as long as the last tensor.  A file that another program makes shorter meanwhile ends the
   process.

   A path that ends in .index.json is a model in several files: those that the index names, beside it; wk_load takes
   pytorch_model.bin.index.json so. */
wk_dict *wk_safetensors_load_file(const char *path);

/* numpy.save(path, x), in format 1.0 (bfloat16 has no name there: an error).  False after an error. */
bool wk_numpy_save(const char *path, wk_tensor *x);
/* numpy.load(path) of a .npy file: bool, integers but for uint16 to uint64, float16 to float64, complex; both byte
   orders, both row and column order; never pickles.  Belongs to the innermost scope. */
wk_tensor *wk_numpy_load(const char *path);

/* numpy.savez(path, **dict): the tensors of dict, each as numpy.save writes it, in one file; its texts are left out.
   False after an error. */
bool wk_numpy_savez(const char *path, const wk_dict *dict);
/* numpy.load(path) of a .npz file, as numpy.savez and numpy.savez_compressed write it, in its order; wk_dict_free lets
   it go; NULL after an error. */
wk_dict *wk_numpy_load_npz(const char *path);

/* torch.load(path, weights_only=True) of .pt and .pth: what torch.save wrote, as one flat dictionary, since names of
   nested dicts and lists are joined by dots; wk_dict_free lets it go; NULL after an error.

       torch.save({"model": model.state_dict(), "epoch": 3, "lrs": [0.1, 0.2]}, "run.pt")
       wk_dict *all = wk_load("run.pt");
       wk_dict *state = wk_dict_part(all, "model."); // for wk_module_load_state_dict
       double epoch = wk_dict_number(all, "epoch", 0), lr = wk_dict_number(all, "lrs.0", NAN);

   Tensors keep dtype, shape and strides, and those that share memory share it here; none requires a gradient.  Numbers
   are texts (true "1", false "0"), lists and tuples have their length as a text under their own name, None is left out;
   bytes are tensors of uint8, dtypes and devices texts ("torch.float32", "cuda:0").  A file that is one tensor has it
   under "".

   No code of a file is run: classes and functions that are no part of plain checkpoints are an error which names them.
   Of a whole pickled module the tensors come out as its state_dict would name them, with its attributes that are
   numbers or texts; nothing else of it. */
typedef struct wk_load_args {
    const char *path;
    wk_device map_location; // where the tensors go, wherever they were; the CPU unless told
    bool mmap; // true: bytes come from the disk when they are first used, as wk_safetensors_load_file has it; false:
               // all are copied
} wk_load_args;
#define wk_load(...) wk_load_with((wk_load_args){.mmap = true, .path = __VA_ARGS__})
wk_dict *wk_load_with(wk_load_args args);

/* torch.save(dict, path): one flat dict, which torch.load(path, weights_only=True) and wk_load read; tensors on one
   memory stay on one.  Texts that are numbers as wk_dict_set_number writes them become int or float, others str.  False
   after an error: a name is no UTF-8, or is both a tensor's and a text's. */
bool wk_save(const wk_dict *dict, const char *path);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
