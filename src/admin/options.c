/* SPDX-License-Identifier: ISC */
/* options.c: reads an argument list against the table of options.h. Knows nothing of verbs. */
#include "admin/options.h"

#include <string.h>

static const struct option_row rows[] = {
#define OPTION(name, word, letter, value, repeats, help) {word, letter, value, repeats, help},
    OPTION_ROWS
#undef OPTION
};

const struct option_row *options_row(enum option option)
{
    return &rows[option];
}

bool options_has(const struct options *options, enum option option)
{
    return options_value(options, option) != NULL;
}

const char *options_value(const struct options *options, enum option option)
{
    size_t at = 0;
    return options_next(options, option, &at);
}

const char *options_next(const struct options *options, enum option option, size_t *at)
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

/* The option that `argument` names; *attached = the value glued to it, or NULL. */
static bool find(const char *argument, enum option *option, const char **attached)
{
    bool is_long = argument[1] == '-';
    size_t size = is_long ? strcspn(argument + 2, "=") : 1;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (is_long && strlen(rows[i].word) == size &&
            memcmp(rows[i].word, argument + 2, size) == 0) {
            *option = (enum option)i;
            *attached = argument[2 + size] == '=' ? argument + 2 + size + 1 : NULL;
            return true;
        }
        if (!is_long && rows[i].letter == argument[1]) {
            *option = (enum option)i;
            *attached = argument[2] != '\0' ? argument + 2 : NULL;
            return true;
        }
    }
    return false;
}

static bool add(struct options *options, enum option option, const char *value, struct fault *fault)
{
    if (!rows[option].repeats && options_has(options, option)) {
        fault_set(fault, "--%s is given twice", rows[option].word);
        return false;
    }
    if (options->given_count == OPTIONS_MAX) {
        fault_set(fault, "more than %d options", OPTIONS_MAX);
        return false;
    }
    options->given[options->given_count++] = (struct option_given){option, value};
    return true;
}

/* One option at argv[*i]; moves *i on when its value is the next word. */
static bool read_option(int argc, char *const *argv, int *i, struct options *options,
                        struct fault *fault)
{
    enum option option;
    const char *attached;
    if (!find(argv[*i], &option, &attached)) {
        /* cut at `=`: what follows may be a secret */
        fault_set(fault, "unknown option %.*s", (int)strcspn(argv[*i], "="), argv[*i]);
        return false;
    }
    const struct option_row *row = &rows[option];
    if (row->value == NULL && attached != NULL) {
        fault_set(fault, "--%s takes no value", row->word);
        return false;
    }
    if (row->value == NULL) {
        return add(options, option, "", fault);
    }
    if (attached == NULL && *i + 1 == argc) {
        fault_set(fault, "--%s: %s is missing", row->word, row->value);
        return false;
    }
    return add(options, option, attached != NULL ? attached : argv[++*i], fault);
}

bool options_read(int argc, char *const *argv, struct options *options, struct fault *fault)
{
    *options = (struct options){0};
    bool only_arguments = false;
    for (int i = 1; i < argc; i++) {
        if (!only_arguments && strcmp(argv[i], "--") == 0) {
            only_arguments = true;
        } else if (!only_arguments && argv[i][0] == '-' && argv[i][1] != '\0') {
            if (!read_option(argc, argv, &i, options, fault)) {
                return false;
            }
        } else if (options->argument_count == OPTIONS_ARGUMENTS_MAX) {
            fault_set(fault, "more than %d arguments", OPTIONS_ARGUMENTS_MAX);
            return false;
        } else {
            options->arguments[options->argument_count++] = argv[i];
        }
    }
    return true;
}
