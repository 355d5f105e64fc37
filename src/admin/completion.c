/* SPDX-License-Identifier: ISC */
/* completion.c: see completion.h. What follows an option or a verb is completed by its name in the
 * help: FILE and DIR as such, `this|that` as those words, all else not at all. Nothing asks the
 * store: a key that is pressed must not open it. */
#include "admin/completion.h"

#include <string.h>

static void print_bash(FILE *stream, const struct completion_table *table);
static void print_bash_noun(FILE *stream, const struct completion_table *table, size_t first);
static void print_bash_verb(FILE *stream, const struct verb *verb, unsigned taken);
static void print_bash_values(FILE *stream);
static void print_bash_option(FILE *stream, const struct option_row *row);
static void print_zsh(FILE *stream, const struct completion_table *table);
static void print_zsh_nouns(FILE *stream, const struct completion_table *table);
static void print_zsh_noun(FILE *stream, const struct completion_table *table, size_t first);
static void print_zsh_verb(FILE *stream, const struct verb *verb);
static void print_zsh_options(FILE *stream, uint64_t options);
static void print_zsh_value(FILE *stream, const char *value);

bool completion_print(FILE *stream, const char *shell, const struct completion_table *table)
{
    if (strcmp(shell, "bash") == 0) {
        print_bash(stream, table);
    } else if (strcmp(shell, "zsh") == 0) {
        print_zsh(stream, table);
    } else {
        return false;
    }
    return true;
}

/* ---- what the tables say ---- */

static bool is_first_of_noun(const struct completion_table *table, size_t i)
{
    return i == 0 || strcmp(table->verbs[i - 1].noun, table->verbs[i].noun) != 0;
}

static bool is_of_noun(const struct completion_table *table, size_t first, size_t i)
{
    return i < table->count && strcmp(table->verbs[first].noun, table->verbs[i].noun) == 0;
}

/* "[FILE]", "FROM TO", "add|list ID" -> its first word without brackets. */
static struct text first_word(const char *arguments)
{
    const char *word = arguments + strspn(arguments, "[");

    return (struct text){word, strcspn(word, " ]")};
}

static bool is_choice(struct text word)
{
    return text_find(word, '|') < word.size;
}

static bool is_file(struct text word)
{
    return text_equal(word, TEXT("FILE")) || text_equal(word, TEXT("FROM"));
}

/* "end|keep" with another separator, as a shell writes lists. */
static void print_choices(FILE *stream, struct text word)
{
    for (size_t i = 0; i < word.size; i++) {
        fputc(word.data[i] == '|' ? ' ' : word.data[i], stream);
    }
}

/* ---- bash ---- */

static void print_bash(FILE *stream, const struct completion_table *table)
{
    fputs("# bash completion for retoken(1), as `retoken completion bash` prints it.\n"
          "_retoken()\n"
          "{\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
          "    local words=() verbs= options= argument= choices= at=1 helping= i\n"
          "\n"
          "    # bash splits --option=value at the =\n"
          "    if [[ $word == \"=\" ]]; then\n"
          "        word=\n"
          "    elif [[ $before == \"=\" ]]; then\n"
          "        before=${COMP_WORDS[COMP_CWORD - 2]}\n"
          "    fi\n",
          stream);
    print_bash_values(stream);
    fputs("    if [[ ${words[0]-} == help ]]; then\n"
          "        helping=yes\n"
          "        words=(\"${words[@]:1}\")\n"
          "    fi\n"
          "    case ${words[0]-} in\n",
          stream);
    for (size_t i = 0; i < table->count; i++) {
        if (is_first_of_noun(table, i)) {
            print_bash_noun(stream, table, i);
        }
    }
    fputs("    esac\n"
          "    if [[ $word == -* ]]; then\n"
          "        choices=\"$options",
          stream);
    for (int i = 0; i < OPTION_COUNT; i++) {
        if ((table->common >> i & 1) != 0) {
            fprintf(stream, " --%s", options_row((enum option_id)i)->word);
        }
    }
    fputs("\"\n"
          "    elif ((${#words[@]} == 0)); then\n"
          "        choices=\"",
          stream);
    for (size_t i = 0; i < table->count; i++) {
        if (is_first_of_noun(table, i)) {
            fprintf(stream, "%s%s", i > 0 ? " " : "", table->verbs[i].noun);
        }
    }
    fputs("\"\n"
          "    elif ((${#words[@]} == 1)) && [[ -n $verbs ]]; then\n"
          "        choices=$verbs\n"
          "    elif ((${#words[@]} == at)) && [[ -z $helping ]]; then\n"
          "        choices=$argument\n"
          "    fi\n"
          "    _retoken_choose \"$choices\"\n"
          "}\n"
          "\n"
          "# FILE, DIR, or words\n"
          "_retoken_choose()\n"
          "{\n"
          "    case $1 in\n"
          "    FILE) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "
          "\"$word\") ;;\n"
          "    DIR) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "
          "\"$word\") ;;\n"
          "    *) mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$word\") ;;\n"
          "    esac\n"
          "}\n"
          "complete -F _retoken retoken\n",
          stream);
}

/* What follows an option; and the words that neither are options nor follow one. */
static void print_bash_values(FILE *stream)
{
    fputs("    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        case ${COMP_WORDS[i]} in\n"
          "        ",
          stream);
    for (int i = 0, said = 0; i < OPTION_COUNT; i++) {
        const struct option_row *row = options_row((enum option_id)i);

        if (row->value[0] != '\0') {
            fputs(said++ > 0 ? " | " : "", stream);
            print_bash_option(stream, row);
        }
    }
    fputs(")\n"
          "            i=$((i + 1))\n"
          "            [[ ${COMP_WORDS[i]} != \"=\" ]] || i=$((i + 1)) ;;\n"
          "        -*) ;;\n"
          "        *) words+=(\"${COMP_WORDS[i]}\") ;;\n"
          "        esac\n"
          "    done\n"
          "    case $before in\n",
          stream);
    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *row = options_row((enum option_id)i);
        struct text value = text_of(row->value);

        if (value.size == 0) {
            continue;
        }
        fputs("    ", stream);
        print_bash_option(stream, row);
        fputs(") _retoken_choose \"", stream);
        if (is_file(value)) {
            fputs("FILE", stream);
        } else if (is_choice(value)) {
            print_choices(stream, value);
        }
        fputs("\"; return ;;\n", stream);
    }
    fputs("    esac\n", stream);
}

/* As a pattern. */
static void print_bash_option(FILE *stream, const struct option_row *row)
{
    fprintf(stream, "--%s", row->word);
    if (row->letter != 0) {
        fprintf(stream, " | -%c", row->letter);
    }
}

static void print_bash_noun(FILE *stream, const struct completion_table *table, size_t first)
{
    fprintf(stream, "    %s)\n", table->verbs[first].noun);
    fputs("        verbs=\"", stream);
    for (size_t i = first; is_of_noun(table, first, i); i++) {
        const char *word = table->verbs[i].verb;

        fprintf(stream, "%s%s", i > first && word[0] != '\0' ? " " : "", word);
    }
    fputs("\"\n", stream);
    for (size_t i = first; is_of_noun(table, first, i); i++) {
        if (table->verbs[i].verb[0] == '\0') {
            print_bash_verb(stream, &table->verbs[i], 1);
        }
    }
    fputs("        case ${words[1]-} in\n", stream);
    for (size_t i = first; is_of_noun(table, first, i); i++) {
        if (table->verbs[i].verb[0] != '\0') {
            fprintf(stream, "        %s)\n", table->verbs[i].verb);
            print_bash_verb(stream, &table->verbs[i], 2);
            fputs("            ;;\n", stream);
        }
    }
    fputs("        esac ;;\n", stream);
}

static void print_bash_verb(FILE *stream, const struct verb *verb, unsigned taken)
{
    struct text argument = first_word(verb->arguments);

    fprintf(stream, "            at=%u options=\"", taken);
    for (int i = 0, said = 0; i < OPTION_COUNT; i++) {
        if ((verb->options >> i & 1) != 0) {
            fprintf(stream, "%s--%s", said++ > 0 ? " " : "", options_row((enum option_id)i)->word);
        }
    }
    fputs("\" argument=\"", stream);
    if (is_file(argument)) {
        fputs("FILE", stream);
    } else if (text_equal(argument, TEXT("DIR"))) {
        fputs("DIR", stream);
    } else if (is_choice(argument)) {
        print_choices(stream, argument);
    }
    fputs("\"\n", stream);
}

/* ---- zsh ---- */

static void print_zsh(FILE *stream, const struct completion_table *table)
{
    fputs("#compdef retoken\n"
          "# zsh completion for retoken(1), as `retoken completion zsh` prints it.\n"
          "_retoken()\n"
          "{\n"
          "    local curcontext=$curcontext state state_descr line noun ret=1\n"
          "    local -A opt_args\n"
          "    local -a common nouns verbs\n"
          "\n"
          "    common=(",
          stream);
    print_zsh_options(stream, table->common);
    fputs(")\n", stream);
    print_zsh_nouns(stream, table);
    fputs("    _arguments -C $common '1: :->noun' '*:: :->rest' && ret=0\n"
          "    if [[ $state == noun ]]; then\n"
          "        _describe -t commands command nouns && ret=0\n"
          "        return ret\n"
          "    fi\n"
          "    [[ $words[1] == help ]] && shift words && ((CURRENT--))\n"
          "    if ((CURRENT == 1)); then\n"
          "        _describe -t commands command nouns && ret=0\n"
          "        return ret\n"
          "    fi\n"
          "    noun=$words[1]\n"
          "    case $noun in\n",
          stream);
    for (size_t i = 0; i < table->count; i++) {
        if (is_first_of_noun(table, i)) {
            print_zsh_noun(stream, table, i);
        }
    }
    fputs("    esac\n"
          "    return ret\n"
          "}\n"
          "# from $fpath, or read by hand\n"
          "if [[ $funcstack[1] == _retoken ]]; then\n"
          "    _retoken \"$@\"\n"
          "else\n"
          "    compdef _retoken retoken\n"
          "fi\n",
          stream);
}

/* The text within single quotes; `special` are further characters that want a backslash. */
static void print_quoted(FILE *stream, const char *text, const char *special)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            fputs("'\\'", stream);
        } else if (strchr(special, *text) != NULL) {
            fputc('\\', stream);
        }
        fputc(*text, stream);
    }
}

/* A noun of several verbs is described by them. */
static void print_zsh_nouns(FILE *stream, const struct completion_table *table)
{
    fputs("    nouns=(\n", stream);
    for (size_t first = 0; first < table->count; first++) {
        if (!is_first_of_noun(table, first)) {
            continue;
        }
        fprintf(stream, "        '%s:", table->verbs[first].noun);
        if (!is_of_noun(table, first, first + 1)) {
            print_quoted(stream, table->verbs[first].summary, "");
        }
        for (size_t i = first; is_of_noun(table, first, first + 1) && is_of_noun(table, first, i);
             i++) {
            fprintf(stream, "%s%s", i > first && table->verbs[i].verb[0] != '\0' ? ", " : "",
                    table->verbs[i].verb);
        }
        fputs("'\n", stream);
    }
    fputs("    )\n", stream);
}

static void print_zsh_noun(FILE *stream, const struct completion_table *table, size_t first)
{
    fprintf(stream, "    %s)\n", table->verbs[first].noun);
    if (table->verbs[first].verb[0] == '\0') { /* and no other verb */
        print_zsh_verb(stream, &table->verbs[first]);
        fputs("        ;;\n", stream);
        return;
    }
    fputs("        verbs=(\n", stream);
    for (size_t i = first; is_of_noun(table, first, i); i++) {
        if (table->verbs[i].verb[0] != '\0') {
            fprintf(stream, "            '%s:", table->verbs[i].verb);
            print_quoted(stream, table->verbs[i].summary, "");
            fputs("'\n", stream);
        }
    }
    fputs("        )\n"
          "        state=\n"
          "        _arguments -C $common '1: :->verb' '*:: :->rest' && ret=0\n"
          "        if [[ $state == verb ]]; then\n"
          "            _describe -t verbs verb verbs && ret=0\n"
          "            return ret\n"
          "        fi\n"
          "        case $words[1] in\n",
          stream);
    for (size_t i = first; is_of_noun(table, first, i); i++) {
        fprintf(stream, "        %s)\n",
                table->verbs[i].verb[0] != '\0' ? table->verbs[i].verb : "-*");
        print_zsh_verb(stream, &table->verbs[i]);
        fputs("            ;;\n", stream);
    }
    fputs("        esac ;;\n", stream);
}

static void print_zsh_verb(FILE *stream, const struct verb *verb)
{
    struct text argument = first_word(verb->arguments);

    fputs("            _arguments $common", stream);
    print_zsh_options(stream, verb->options);
    if (argument.size > 0) {
        char word[64];

        (void)text_copy(argument, word, sizeof word);
        fprintf(stream, " '1:%.*s:", (int)strcspn(word, "|"), word);
        print_zsh_value(stream, word);
        fputc('\'', stream);
    }
    fputs(" && ret=0\n", stream);
}

static void print_zsh_options(FILE *stream, uint64_t options)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *row = options_row((enum option_id)i);
        const char *equals = row->value[0] != '\0' ? "=" : "";

        if ((options >> i & 1) == 0) {
            continue;
        }
        fputs(" '", stream);
        if (row->letter != 0) {
            fprintf(stream, "(-%c --%s)'{-%c%s,--%s%s}'", row->letter, row->word, row->letter,
                    equals[0] != '\0' ? "+" : "", row->word, equals);
        } else {
            fprintf(stream, "%s--%s%s", row->repeats ? "*" : "", row->word, equals);
        }
        fputc('[', stream);
        print_quoted(stream, row->help, "[]");
        fputc(']', stream);
        if (equals[0] != '\0') {
            fprintf(stream, ":%s:", row->value);
            print_zsh_value(stream, row->value);
        }
        fputc('\'', stream);
    }
}

/* The action of _arguments for what the help calls so. */
static void print_zsh_value(FILE *stream, const char *value)
{
    struct text word = text_of(value);

    if (is_file(word)) {
        fputs("_files", stream);
    } else if (text_equal(word, TEXT("DIR"))) {
        fputs("_files -/", stream);
    } else if (is_choice(word)) {
        fputc('(', stream);
        print_choices(stream, word);
        fputc(')', stream);
    }
}
