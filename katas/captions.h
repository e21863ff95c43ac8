/* Pictures of clothes, changed in ways that one can say in words, and the words: "a small bag at the top left, upside
   down, on white".  A caption becomes numbers, one for each word (B, L). */
#ifndef KATAS_CAPTIONS_H
#define KATAS_CAPTIONS_H

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <wick.h>

/* ---------------------------------------------------------------- scenes */

/* what a picture shows; two that show the same may be told the same */
typedef struct scene {
    int noun;  // 0 to 9, as in Fashion-MNIST
    int place; // 0: large; small at 1 top left, 2 top right, 3 bottom left, 4 bottom right
    bool upside_down;
    bool white; // the ground, else black
} scene;

static inline bool scene_same(scene a, scene b)
{
    return a.noun == b.noun && a.place == b.place && a.upside_down == b.upside_down && a.white == b.white;
}

/* dice: of 8 numbers from 0 to 999 */
static inline scene scene_of(int noun, const int64_t *dice)
{
    const int place = dice[0] < 400 ? 0 : 1 + (int)(dice[1] % 4);
    return (scene){noun, place, dice[2] < 300, dice[3] < 300};
}

/* x: (1, 28, 28) from 0 to 1 -> the same size */
static inline wk_tensor *scene_picture(scene s, wk_tensor *x)
{
    const bool right = s.place == 2 || s.place == 4, bottom = s.place >= 3;
    if (s.upside_down)
        x = wk_flip(x, (1)); // (1, 28, 28)
    if (s.place > 0)
        x = wk_pad(wk_avg_pool2d(x, 2),
                   (right ? 14 : 0, right ? 0 : 14, bottom ? 14 : 0, bottom ? 0 : 14)); // (1, 28, 28)
    return s.white ? wk_sub(1, x) : x;                                                  // (1, 28, 28)
}

/* ---------------------------------------------------------------- words */

enum { CAPTION_LENGTH = 16, CAPTION_TEXT = 128 };

static const char *const NOUNS[10][3] = {
    {"t-shirt", "tee", "top"},         {"pair of trousers", "pair of pants", "pair of jeans"},
    {"pullover", "sweater", "jumper"}, {"dress", "gown", "frock"},
    {"coat", "jacket", "overcoat"},    {"sandal", "flip-flop", "slipper"},
    {"shirt", "blouse", "button-up"},  {"sneaker", "trainer", "running shoe"},
    {"bag", "handbag", "purse"},       {"boot", "ankle boot", "bootee"},
};
static const char *const PLACES[5] = {"", "top left", "top right", "bottom left", "bottom right"};

/* each word has the number of its place; the first is none */
static const char *const WORDS[] = {
    "",        "a",       "an",       "at",       "the",    "on",        "of",      "pair",   "small",  "tiny",
    "large",   "big",     "top",      "bottom",   "left",   "right",     "upside",  "down",   "white",  "black",
    "t-shirt", "tee",     "trousers", "pants",    "jeans",  "pullover",  "sweater", "jumper", "dress",  "gown",
    "frock",   "coat",    "jacket",   "overcoat", "sandal", "flip-flop", "slipper", "shirt",  "blouse", "button-up",
    "sneaker", "trainer", "running",  "shoe",     "bag",    "handbag",   "purse",   "boot",   "ankle",  "bootee",
};
enum { WORD_COUNT = sizeof WORDS / sizeof *WORDS };

/* What one may say of a scene, with the dice that it was made of: a noun of three, and not everything each time;
   `all`: everything. */
static inline void scene_caption(scene s, const int64_t *dice, bool all, char caption[CAPTION_TEXT])
{
    const char *noun = NOUNS[s.noun][dice[4] % 3];
    const char *size = s.place == 0 ? (dice[4] % 2 ? "large " : "big ") : (dice[4] % 2 ? "small " : "tiny ");
    if (!all && dice[5] < 300)
        size = "";
    const char *first = *size ? size : noun;
    int n = snprintf(caption, CAPTION_TEXT, "%s %s%s", strchr("aeiou", *first) ? "an" : "a", size, noun);
    if (s.place > 0 && (all || dice[6] < 700))
        n += snprintf(caption + n, (size_t)(CAPTION_TEXT - n), " at the %s", PLACES[s.place]);
    if (s.upside_down)
        n += snprintf(caption + n, (size_t)(CAPTION_TEXT - n), ", upside down");
    if (all || dice[7] < 700)
        snprintf(caption + n, (size_t)(CAPTION_TEXT - n), ", on %s", s.white ? "white" : "black");
}

/* the words' numbers, filled up with 0; words that nobody taught are passed over, and told where `tell` */
static inline void caption_tokens(const char *caption, bool tell, int64_t tokens[CAPTION_LENGTH])
{
    int count = 0;
    memset(tokens, 0, CAPTION_LENGTH * sizeof *tokens);
    while (*caption) {
        char word[32];
        size_t length = strcspn(caption, " ,.;");
        snprintf(word, sizeof word, "%.*s", (int)length, caption);
        for (char *c = word; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        int which = 0;
        const size_t singular = strlen(word) > 1 && word[strlen(word) - 1] == 's' ? strlen(word) - 1 : 0;
        for (int i = WORD_COUNT - 1; i > 0 && *word; i--)
            if (strcmp(word, WORDS[i]) == 0 ||
                (which == 0 && singular == strlen(WORDS[i]) && strncmp(word, WORDS[i], singular) == 0))
                which = i; // "boots" are a boot
        if (which > 0 && count < CAPTION_LENGTH)
            tokens[count++] = which;
        else if (*word && tell)
            printf("\"%s\": not among the %d words that it knows\n", word, WORD_COUNT - 1);
        caption += length + (caption[length] != '\0');
    }
}

#endif
