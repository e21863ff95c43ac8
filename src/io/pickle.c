#include "pickle.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error_internal.h"

#define ROOM ((size_t)1 << 16)
#define MADE_ITEMS 3 // function, arguments, state

/* values are taken from rooms, and let go all at once */
struct wk_pickle_room {
    struct wk_pickle_room *next;
    size_t used, size;
    _Alignas(16) unsigned char bytes[];
};

static void *room_for(wk_pickle *p, size_t bytes)
{
    bytes = (bytes + 15) / 16 * 16;
    if (!p->rooms || p->rooms->size - p->rooms->used < bytes) {
        const size_t size = bytes > ROOM ? bytes : ROOM;
        struct wk_pickle_room *room = wk_alloc(sizeof *room + size);
        if (!room)
            return wk_out_of_memory(p->op, sizeof *room + size);
        room->next = p->rooms;
        room->used = 0;
        room->size = size;
        p->rooms = room;
    }
    void *place = p->rooms->bytes + p->rooms->used;
    p->rooms->used += bytes;
    return place;
}

void wk_pickle_open(wk_pickle *p, const char *op, const char *path, const unsigned char *bytes, size_t size)
{
    *p = (wk_pickle){.op = op, .path = path, .begin = bytes, .at = bytes, .end = bytes + size};
}

void wk_pickle_close(wk_pickle *p)
{
    for (struct wk_pickle_room *room = p->rooms, *next; room; room = next) {
        next = room->next;
        wk_free(room);
    }
    wk_free(p->stack);
    wk_free(p->memo);
    *p = (wk_pickle){.op = NULL};
}

static bool broken(const wk_pickle *p, const char *what)
{
    return wk_fail(p->op, "%s: its pickle is broken: %s, at byte %lld of it", p->path, what,
                   (long long)(p->at - p->begin));
}

/* ---------------------------------------------------------------- the stack */

/* room for one more value */
static bool grow(wk_pickle *p)
{
    if (p->count < p->capacity)
        return true;
    const int64_t capacity = p->capacity ? 2 * p->capacity : 256;
    wk_pickled *grown = wk_realloc(p->stack, (size_t)capacity * sizeof *grown);
    if (!grown)
        return wk_out_of_memory(p->op, (size_t)capacity * sizeof *grown);
    p->stack = grown;
    p->capacity = capacity;
    return true;
}

static bool push(wk_pickle *p, wk_pickled value)
{
    if (!grow(p))
        return false;
    p->stack[p->count++] = value;
    return true;
}

/* how many values are above the last mark */
static int64_t above_mark(const wk_pickle *p)
{
    int64_t above = 0;
    while (above < p->count && p->stack[p->count - 1 - above].kind != WK_PICKLED_MARK)
        above++;
    return above;
}

static bool has(const wk_pickle *p, int64_t values)
{
    for (int64_t i = 1; i <= values; i++)
        if (i > p->count || p->stack[p->count - i].kind == WK_PICKLED_MARK)
            return broken(p, "it takes more values than it has put there");
    return true;
}

static wk_pickled *top(wk_pickle *p) { return &p->stack[p->count - 1]; }

/* ---------------------------------------------------------------- boxes */

static wk_pickled_box *new_box(wk_pickle *p, wk_pickled_kind kind, const wk_pickled *items, int64_t count)
{
    wk_pickled_box *box = room_for(p, sizeof *box);
    wk_pickled *copy = box ? room_for(p, (size_t)count * sizeof *copy) : NULL;
    if (!copy)
        return NULL;
    if (count > 0)
        memcpy(copy, items, (size_t)count * sizeof *copy);
    *box = (wk_pickled_box){.before = p->boxes, .items = copy, .count = count, .capacity = count, .kind = kind};
    return p->boxes = box;
}

static bool push_box(wk_pickle *p, wk_pickled_box *box)
{
    return box && push(p, (wk_pickled){.kind = box->kind, .box = box});
}

/* the last `count` values become one that holds them */
static bool gather(wk_pickle *p, wk_pickled_kind kind, int64_t count)
{
    if (!has(p, count))
        return false;
    wk_pickled_box *box = new_box(p, kind, p->stack + p->count - count, count);
    p->count -= count;
    return push_box(p, box);
}

/* the values above the mark, and the mark, become one that holds them */
static bool gather_marked(wk_pickle *p, wk_pickled_kind kind)
{
    const int64_t count = above_mark(p);
    if (count == p->count)
        return broken(p, "there is no mark");
    wk_pickled_box *box = new_box(p, kind, p->stack + p->count - count, count);
    p->count -= count + 1;
    return push_box(p, box);
}

static bool make(wk_pickle *p, wk_pickled function, wk_pickled arguments, bool called)
{
    const wk_pickled items[MADE_ITEMS] = {function, arguments, {.kind = WK_PICKLED_NONE}};
    wk_pickled_box *box = new_box(p, WK_PICKLED_MADE, items, MADE_ITEMS);
    if (box)
        box->called = called;
    return push_box(p, box);
}

/* function, arguments: what a call gives; an object made the way of old classes is one of its class */
static bool reduce(wk_pickle *p, bool called)
{
    if (!has(p, 2))
        return false;
    const wk_pickled arguments = *top(p), function = p->stack[p->count - 2];
    if (arguments.kind != WK_PICKLED_TUPLE)
        return broken(p, "expected a tuple of arguments");
    p->count -= 2;
    const wk_pickled *name = function.kind == WK_PICKLED_GLOBAL ? function.box->items : NULL;
    const bool reconstructs =
        called && name && arguments.box->count > 0 &&
        (wk_pickled_is_text(name[0], "copy_reg") || wk_pickled_is_text(name[0], "copyreg")) &&
        (wk_pickled_is_text(name[1], "_reconstructor") || wk_pickled_is_text(name[1], "__newobj__"));
    return reconstructs ? make(p, arguments.box->items[0], arguments, false) : make(p, function, arguments, called);
}

static bool build(wk_pickle *p)
{
    if (!has(p, 2))
        return false;
    const wk_pickled state = *top(p), object = p->stack[p->count - 2];
    if (object.kind != WK_PICKLED_MADE)
        return broken(p, "it gives a state to what has none");
    object.box->items[2] = state;
    p->count--;
    return true;
}

/* the last `count` values go into the box under them (and under the mark, which goes too) */
static bool put_into(wk_pickle *p, int64_t count, bool marked, bool paired)
{
    if (marked && count == p->count)
        return broken(p, "there is no mark");
    if (!has(p, count))
        return false;
    const int64_t under = p->count - count - marked - 1;
    if (under < 0 || p->stack[under].kind == WK_PICKLED_MARK)
        return broken(p, "it puts items into nothing");
    const wk_pickled into = p->stack[under];
    const bool fits =
        into.kind == WK_PICKLED_MADE ||
        (paired ? into.kind == WK_PICKLED_DICT : into.kind == WK_PICKLED_LIST || into.kind == WK_PICKLED_SET);
    if (!fits || (paired && count % 2 != 0))
        return broken(p, "it puts items into what takes none");
    wk_pickled_box *box = into.box;
    if (box->kind == WK_PICKLED_MADE && box->count > MADE_ITEMS && box->paired != paired)
        return broken(p, "it puts items and pairs into one");
    if (box->capacity - box->count < count) {
        const int64_t capacity = 2 * box->count > box->count + count ? 2 * box->count : box->count + count;
        wk_pickled *grown = room_for(p, (size_t)capacity * sizeof *grown);
        if (!grown)
            return false;
        memcpy(grown, box->items, (size_t)box->count * sizeof *grown);
        box->items = grown;
        box->capacity = capacity;
    }
    box->paired = paired;
    memcpy(box->items + box->count, p->stack + p->count - count, (size_t)count * sizeof *box->items);
    box->count += count;
    p->count = under + 1;
    return true;
}

/* ---------------------------------------------------------------- the memo */

/* Picklers number what they remember from 0 on, so a place beyond the number of bytes so far is not one of theirs. */
static bool remember(wk_pickle *p, uint64_t place)
{
    if (!has(p, 1))
        return false;
    if (place > (uint64_t)(p->at - p->begin))
        return broken(p, "it remembers at a place too far");
    if ((int64_t)place >= p->memo_capacity) {
        const int64_t capacity = 2 * ((int64_t)place + 64);
        wk_pickled *grown = wk_realloc(p->memo, (size_t)capacity * sizeof *grown);
        if (!grown)
            return wk_out_of_memory(p->op, (size_t)capacity * sizeof *grown);
        memset(grown + p->memo_capacity, 0, (size_t)(capacity - p->memo_capacity) * sizeof *grown);
        p->memo = grown;
        p->memo_capacity = capacity;
    }
    p->memo[place] = *top(p);
    return true;
}

static bool recall(wk_pickle *p, uint64_t place)
{
    if (place >= (uint64_t)p->memo_capacity || p->memo[place].kind == WK_PICKLED_MARK)
        return broken(p, "it recalls what it has not remembered");
    return push(p, p->memo[place]);
}

/* ---------------------------------------------------------------- bytes */

/* the next `size` bytes; NULL after an error */
static const unsigned char *take(wk_pickle *p, uint64_t size)
{
    if (size > (uint64_t)(p->end - p->at)) {
        broken(p, "it is cut off");
        return NULL;
    }
    p->at += size;
    return p->at - size;
}

/* an unsigned number of so many bytes, the low one first; false after an error */
static bool take_number(wk_pickle *p, int bytes, uint64_t *number)
{
    const unsigned char *from = take(p, (uint64_t)bytes);
    *number = 0;
    for (int i = bytes - 1; from && i >= 0; i--)
        *number = *number << 8 | from[i];
    return from != NULL;
}

/* bytes behind their number, which has `width` bytes itself */
static bool push_bytes(wk_pickle *p, wk_pickled_kind kind, int width)
{
    uint64_t length;
    const unsigned char *bytes = take_number(p, width, &length) ? take(p, length) : NULL;
    if (bytes && length > UINT32_MAX)
        return broken(p, "a text has 4 GiB or more");
    return bytes && push(p, (wk_pickled){.kind = kind, .length = (uint32_t)length, .bytes = bytes});
}

static bool push_long(wk_pickle *p, int width)
{
    if (!push_bytes(p, WK_PICKLED_LARGE, width))
        return false;
    wk_pickled *value = top(p);
    if (value->length > 8)
        return true;
    uint64_t number = value->length > 0 && value->bytes[value->length - 1] & 0x80 ? UINT64_MAX : 0;
    for (int i = (int)value->length - 1; i >= 0; i--)
        number = number << 8 | value->bytes[i];
    *value = (wk_pickled){.kind = WK_PICKLED_INTEGER, .integer = (int64_t)number};
    return true;
}

static bool push_integer(wk_pickle *p, int bytes, bool with_sign)
{
    uint64_t number;
    return take_number(p, bytes, &number) &&
           push(p, (wk_pickled){.kind = WK_PICKLED_INTEGER, .integer = with_sign ? (int32_t)number : (int64_t)number});
}

static bool push_real(wk_pickle *p)
{
    uint64_t bits;
    double real;
    if (!take_number(p, 8, &bits))
        return false;
    bits = __builtin_bswap64(bits); // the high byte stands first
    memcpy(&real, &bits, sizeof real);
    return push(p, (wk_pickled){.kind = WK_PICKLED_REAL, .real = real});
}

/* "module\nname\n" */
static bool push_global(wk_pickle *p)
{
    wk_pickled names[2];
    for (int i = 0; i < 2; i++) {
        const unsigned char *end = memchr(p->at, '\n', (size_t)(p->end - p->at));
        if (!end || end - p->at > 1024)
            return broken(p, "a name has no end");
        names[i] = (wk_pickled){.kind = WK_PICKLED_TEXT, .length = (uint32_t)(end - p->at), .bytes = p->at};
        p->at = end + 1;
    }
    return push_box(p, new_box(p, WK_PICKLED_GLOBAL, names, 2));
}

static bool push_stack_global(wk_pickle *p)
{
    if (!has(p, 2))
        return false;
    if (top(p)->kind != WK_PICKLED_TEXT || p->stack[p->count - 2].kind != WK_PICKLED_TEXT)
        return broken(p, "a name is no text");
    return gather(p, WK_PICKLED_GLOBAL, 2);
}

/* What PyTorch keeps outside: ("storage", ...).  Old files hold a module's class with its source: ("module", class,
   ...), where the class will do. */
static bool persistent(wk_pickle *p)
{
    if (!has(p, 1))
        return false;
    const wk_pickled id = *top(p);
    if (id.kind == WK_PICKLED_TUPLE && id.box->count > 1 && wk_pickled_is_text(id.box->items[0], "module")) {
        *top(p) = id.box->items[1];
        return true;
    }
    return gather(p, WK_PICKLED_PERSISTENT, 1);
}

/* ---------------------------------------------------------------- the machine */

static bool push_plain(wk_pickle *p, wk_pickled_kind kind, int64_t integer)
{
    return push(p, (wk_pickled){.kind = kind, .integer = integer});
}

static bool drop(wk_pickle *p)
{
    if (p->count == 0)
        return broken(p, "it takes more values than it has put there");
    p->count--;
    return true;
}

static bool remember_at(wk_pickle *p, int bytes)
{
    uint64_t place;
    return take_number(p, bytes, &place) && remember(p, place);
}

static bool recall_at(wk_pickle *p, int bytes)
{
    uint64_t place;
    return take_number(p, bytes, &place) && recall(p, place);
}

/* NEWOBJ_EX: class, arguments, keywords */
static bool new_object_with_keywords(wk_pickle *p)
{
    if (!has(p, 3))
        return false;
    p->count--;
    return reduce(p, false);
}

static bool skip(wk_pickle *p, uint64_t bytes) { return take(p, bytes) != NULL; }

/* one opcode but for STOP: protocols 2 to 5, without extensions (names by number) and buffers out of band */
static bool step(wk_pickle *p, unsigned char opcode, int64_t *remembered)
{
    /* clang-format off */
    switch (opcode) {
    case 0x80: return skip(p, 1); // PROTO
    case 0x95: return skip(p, 8); // FRAME
    case '(': return push_plain(p, WK_PICKLED_MARK, 0);
    case '0': return drop(p); // POP
    case '1': return gather_marked(p, WK_PICKLED_TUPLE) && drop(p); // POP_MARK
    case '2': return has(p, 1) && push(p, *top(p)); // DUP
    case 'N': return push_plain(p, WK_PICKLED_NONE, 0);
    case 0x88: return push_plain(p, WK_PICKLED_BOOL, 1);
    case 0x89: return push_plain(p, WK_PICKLED_BOOL, 0);
    case 'J': return push_integer(p, 4, true);
    case 'K': return push_integer(p, 1, false);
    case 'M': return push_integer(p, 2, false);
    case 0x8a: return push_long(p, 1);
    case 0x8b: return push_long(p, 4);
    case 'G': return push_real(p);
    case 'U': return push_bytes(p, WK_PICKLED_TEXT, 1); // SHORT_BINSTRING, of Python 2
    case 'T': return push_bytes(p, WK_PICKLED_TEXT, 4);
    case 0x8c: return push_bytes(p, WK_PICKLED_TEXT, 1);
    case 'X': return push_bytes(p, WK_PICKLED_TEXT, 4);
    case 0x8d: return push_bytes(p, WK_PICKLED_TEXT, 8);
    case 'C': return push_bytes(p, WK_PICKLED_BYTES, 1);
    case 'B': return push_bytes(p, WK_PICKLED_BYTES, 4);
    case 0x8e: return push_bytes(p, WK_PICKLED_BYTES, 8);
    case 0x96: return push_bytes(p, WK_PICKLED_BYTES, 8); // BYTEARRAY8
    case ')': return gather(p, WK_PICKLED_TUPLE, 0);
    case 0x85: return gather(p, WK_PICKLED_TUPLE, 1);
    case 0x86: return gather(p, WK_PICKLED_TUPLE, 2);
    case 0x87: return gather(p, WK_PICKLED_TUPLE, 3);
    case 't': return gather_marked(p, WK_PICKLED_TUPLE);
    case ']': return gather(p, WK_PICKLED_LIST, 0);
    case 'l': return gather_marked(p, WK_PICKLED_LIST);
    case 'a': return put_into(p, 1, false, false);
    case 'e': return put_into(p, above_mark(p), true, false);
    case '}': return gather(p, WK_PICKLED_DICT, 0);
    case 's': return put_into(p, 2, false, true);
    case 'u': return put_into(p, above_mark(p), true, true);
    case 0x8f: return gather(p, WK_PICKLED_SET, 0);
    case 0x90: return put_into(p, above_mark(p), true, false);
    case 0x91: return gather_marked(p, WK_PICKLED_SET); // FROZENSET
    case 'c': return push_global(p);
    case 0x93: return push_stack_global(p);
    case 'R': return reduce(p, true);
    case 0x81: return reduce(p, false); // NEWOBJ
    case 0x92: return new_object_with_keywords(p);
    case 'b': return build(p);
    case 'Q': return persistent(p); // BINPERSID
    case 'h': return recall_at(p, 1);
    case 'j': return recall_at(p, 4);
    case 'q': return remember_at(p, 1);
    case 'r': return remember_at(p, 4);
    case 0x94: return remember(p, (uint64_t)(*remembered)++); // MEMOIZE
    default:
        return wk_fail(p->op,
                       "%s: its pickle has opcode 0x%02x, at byte %lld of it, which is none of protocols 2 to 5 "
                       "as torch.save writes them",
                       p->path, opcode, (long long)(p->at - 1 - p->begin));
    }
    /* clang-format on */
}

bool wk_pickle_read(wk_pickle *p, wk_pickled *value)
{
    p->count = 0;
    if (!grow(p)) // so that there is a stack, if an empty one
        return false;
    if (p->memo_capacity > 0)
        memset(p->memo, 0, (size_t)p->memo_capacity * sizeof *p->memo);
    for (int64_t remembered = 0;;) {
        const unsigned char *opcode = take(p, 1);
        if (!opcode)
            return false;
        if (*opcode == '.') {
            if (!has(p, 1))
                return false;
            *value = *top(p);
            return true;
        }
        if (!step(p, *opcode, &remembered))
            return false;
    }
}

/* ---------------------------------------------------------------- values */

bool wk_pickled_is_text(wk_pickled value, const char *text)
{
    return value.kind == WK_PICKLED_TEXT && value.length == strlen(text) &&
           memcmp(value.bytes, text, value.length) == 0;
}

const wk_pickled *wk_pickled_items(wk_pickled value, int64_t *count)
{
    const int64_t from = value.kind == WK_PICKLED_MADE ? MADE_ITEMS : 0;
    *count = value.box->count - from;
    return value.box->items + from;
}

const wk_pickled *wk_pickled_at(wk_pickled dict, const char *key)
{
    if (dict.kind != WK_PICKLED_DICT)
        return NULL;
    for (int64_t i = 0; i + 1 < dict.box->count; i += 2)
        if (wk_pickled_is_text(dict.box->items[i], key))
            return &dict.box->items[i + 1];
    return NULL;
}
