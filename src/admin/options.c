/* SPDX-License-Identifier: ISC */
/* options.c: reads an argument list against the table of options.h. Knows nothing of verbs. */
#include "admin/options.h"

#include <getopt.h>
#include <string.h>

static const struct option_row rows[] = {
#define OPTION(name, word, letter, value, repeats, help) {word, letter, value, repeats, help},
    OPTION_ROWS
#undef OPTION
};

enum { FIRST_CODE = 256 }; /* of the options without a letter */
static const char letters[] = ":c:hV";
/* Each name has a twin of code 0: an abbreviation fits both, so getopt_long refuses it. */
static const struct option words[] = {
#define OPTION(name, word, letter, value, repeats, help)                                           \
    {word, sizeof value > 1 ? required_argument : no_argument, NULL,                               \
     letter != 0 ? letter : FIRST_CODE + OPTION_##name},                                           \
        {word " ", no_argument, NULL, 0},
    OPTION_ROWS
#undef OPTION
    {NULL, 0, NULL, 0},
};

static bool take(struct options *options, int code, const char *word, struct fault *fault);

bool options_read(int argc, char **argv, struct options *options, struct fault *fault)
{
    int code;

    *options = (struct options){0};
    opterr = 0;
    optind = 0; /* glibc: start over */
    while ((code = getopt_long(argc, argv, letters, words, NULL)) != -1) {
        if (!take(options, code, argv[optind - 1], fault)) {
            return false;
        }
    }
    options->arguments = argv + optind;
    options->argument_count = (size_t)(argc - optind);
    return true;
}

/* Takes what getopt_long returned; `word` is the one it read last. */
static bool take(struct options *options, int code, const char *word, struct fault *fault)
{
    int meant = code == '?' || code == ':' ? optopt : code;
    size_t i = 0;

    while (i < OPTION_COUNT && words[2 * i].val != meant) {
        i++;
    }
    /* an unknown option is told without what follows, which may be a secret */
    if (i == OPTION_COUNT && meant != 0) {
        fault_set(fault, "unknown option -%c; write -- before what begins with a dash", meant);
    } else if (i == OPTION_COUNT) {
        fault_set(fault, "unknown option %.*s", (int)strcspn(word, "="), word);
    } else if (code == '?') {
        fault_set(fault, "--%s takes no value", rows[i].word);
    } else if (code == ':') {
        fault_set(fault, "--%s: %s is missing", rows[i].word, rows[i].value);
    } else if (!rows[i].repeats && options_has(options, (enum option_id)i)) {
        fault_set(fault, "--%s is given twice", rows[i].word);
    } else if (options->given_count == OPTIONS_MAX) {
        fault_set(fault, "more than %d options", OPTIONS_MAX);
    } else {
        options->given[options->given_count++] =
            (struct option_given){(enum option_id)i, optarg != NULL ? optarg : ""};
        return true;
    }
    return false;
}

const struct option_row *options_row(enum option_id option)
{
    return &rows[option];
}

bool options_has(const struct options *options, enum option_id option)
{
    return options_value(options, option) != NULL;
}

const char *options_value(const struct options *options, enum option_id option)
{
    size_t at = 0;
    return options_next(options, option, &at);
}

const char *options_next(const struct options *options, enum option_id option, size_t *at)
{
    for (; *at < options->given_count; (*at)++) {
        if (options->given[*at].option == option) {
            return options->given[(*at)++].value;
        }
    }
    return NULL;
}

const struct option_row *options_outside(const struct options *options, uint64_t allowed)
{
    for (size_t i = 0; i < options->given_count; i++) {
        if ((allowed >> options->given[i].option & 1) == 0) {
            return &rows[options->given[i].option];
        }
    }
    return NULL;
}
