/* SPDX-License-Identifier: ISC */
/* config_reader.h: what the files of the configuration share while a file is read: its sections and
 * lines, kinds of values, the tables of settings, complaints. Private to process/config*.c; what
 * comes out is struct config (config.h). */
#ifndef RETOKEN_PROCESS_CONFIG_READER_H
#define RETOKEN_PROCESS_CONFIG_READER_H

#include "process/config.h"

enum { CONFIG_FILE_MAX = 256 * 1024, CONFIG_LINE_MAX = 2048 };
enum { CONFIG_SECTION_MAX = 256, CONFIG_SETTINGS_MAX = 48 };

/* NAME = VALUE, trimmed, without a comment and without quotation marks round the value. */
struct config_line {
    unsigned number;
    struct text name;
    struct text value;
};

/* [WORD ARGUMENT] and what follows it. */
struct config_section {
    unsigned line;
    struct text word;
    struct text argument; /* "" = none */
    const struct config_line *lines;
    size_t count;
};

/* Which line set what; 0 = the default holds. */
struct config_origin {
    unsigned section;
    unsigned placed; /* endpoints that lines put somewhere, or nowhere: 1 << index */
    unsigned setting[CONFIG_SETTINGS_MAX]; /* by row of the table */
};

struct config_reader {
    struct config *config;
    const char *file; /* in complaints */
    struct fault *fault;
    bool failed;    /* *fault is set; only the first complaint is reported */
    bool is_secret; /* a complaint about the value being read must not show it */

    struct text directory; /* relative paths start here */
    struct config_section *sections;
    struct config_line *lines; /* of all sections */
    size_t section_count;

    size_t shared_count; /* config->realms that [realm] sections made; mounts may join them */
    char issuer[REALM_VALUE_MAX + 1];    /* of [retoken]; holds for realms that set none */
    char origins[REALM_ORIGINS_MAX + 1]; /* the same */
    char expected[256];                  /* what a complaint about a value says */
    struct config_origin general;
    struct config_origin realms[CONFIG_REALMS_MAX]; /* of config->realms */
    unsigned mounts[CONFIG_MOUNTS_MAX];             /* lines of config->mounts; 0 = no section */
};

/* *fault = "FILE:LINE: …" unless there was a complaint before. Always false. */
bool config_complain(struct config_reader *reader, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with "NAME = VALUE: wrong". */
bool config_complain_value(struct config_reader *reader, const struct config_line *line,
                           const char *wrong);

/* Reads a file of the configuration, which nobody else can write, whole into *contents; the caller
 * frees it. *absent when there is none. False: *fault. */
bool config_read_file(const char *file, char **contents, size_t *size, bool *absent,
                      struct fault *fault);

/* ---- config_lines.c ---- */

/* Splits the text of a file into reader->sections. They point into `contents`; release them with
 * config_lines_free, also after a failure. False: a complaint. */
bool config_lines_read(struct config_reader *reader, struct text contents);
void config_lines_free(struct config_reader *reader);
/* The first line of that name; NULL = the section does not set it. */
const struct config_line *config_line_find(const struct config_section *section, const char *name);
const struct config_line *config_line_find_text(const struct config_section *section,
                                                struct text name);

/* ---- config_values.c ---- */

struct config_choice {
    const char *word; /* NULL ends a list */
    int value;
};

struct config_setting {
    const char *name;
    /* Reads the value into the field. False: *wrong says what would be right. */
    bool (*read)(struct config_reader *reader, const struct config_setting *setting,
                 struct text value, void *field, const char **wrong);
    size_t offset; /* of the field */
    size_t room;   /* of a text field */
    int64_t least, most;
    const char *expected; /* "out of range; write 0 to 1h" */
    const struct config_choice *choices;
};

typedef bool config_read(struct config_reader *reader, const struct config_setting *setting,
                         struct text value, void *field, const char **wrong);
config_read config_read_text;      /* char[room]: UTF-8 without control characters */
config_read config_read_issuer;    /* char[room]: an http(s) URL, a name of one word, or "" */
config_read config_read_name;      /* char[room]: one visible ASCII word, as in logs and tokens */
config_read config_read_words;     /* char[room]: visible ASCII words, space-separated */
config_read config_read_log;       /* char[room]: a target of log_open */
config_read config_read_path;      /* char[room]: a file; relative to the configuration's folder */
config_read config_read_store;     /* char[room]: the URL of a store */
config_read config_read_prefix;    /* char[room]: the start of a URL path, or "" */
config_read config_read_origins;   /* char[room]: as the Origin header, space-separated; or * */
config_read config_read_grants;    /* uint32_t: bits of enum grant_bit, from words */
config_read config_read_date;      /* int64_t, ms since 1970 */
config_read config_read_duration;  /* int64_t, ms */
config_read config_read_size;      /* uint64_t, bytes */
config_read config_read_count;     /* uint64_t */
config_read config_read_number;    /* uint32_t */
config_read config_read_choice;    /* an enum */
config_read config_read_switch;    /* bool, through choices 0 and 1 */
config_read config_read_algorithm; /* enum signing_algorithm */
config_read config_read_password_method;
config_read config_read_hook; /* const struct hook_settings *, by its name */

/* DIRECTORY/value; absolute values and those without a directory as they are. False: no room. */
bool config_join(struct text directory, struct text value, char *field, size_t room);

/* ---- config_settings.c ---- */

extern const struct config_setting config_general_settings[]; /* [retoken], over struct config */
extern const size_t config_general_count;
extern const struct config_setting config_realm_settings[]; /* over struct realm */
extern const size_t config_realm_count;

/* Defaults of everything but realms and mounts. */
void config_set_defaults(struct config *config);
/* Takes every [retoken] section into reader->config. False: a complaint. */
bool config_take_general(struct config_reader *reader);
/* Takes one line of a section into realms[first] and those behind it, `count` in all. False: a
 * complaint. */
bool config_take_setting(struct config_reader *reader, const struct config_section *section,
                         const struct config_line *line, size_t first, size_t count);
/* Takes all lines of a section by a table over `object`. False: a complaint. */
bool config_take_rows(struct config_reader *reader, const struct config_section *section,
                      const struct config_setting *settings, size_t count, void *object);
/* The line of [retoken] that set the setting of that name; 0 = none. */
unsigned config_general_line(const struct config_reader *reader, const char *name);
/* The line that set the setting of that name in realms[realm]; 0 = none. */
unsigned config_realm_line(const struct config_reader *reader, size_t realm, const char *name);

/* ---- config_hooks.c ---- */

/* Takes every [hook NAME] section; before those of realms. False: a complaint. */
bool config_take_hooks(struct config_reader *reader);
/* After them: is each hook one that a realm asks? False: a complaint. */
bool config_check_hooks(struct config_reader *reader);

/* ---- config_dialects.c ---- */

/* Takes every [dialect NAME] section; before those of realms. False: a complaint. */
bool config_take_dialects(struct config_reader *reader);
/* The dialect of that name, of a file or of the program. NULL: there is none. */
const struct dialect *config_find_dialect(struct config_reader *reader, struct text name);
/* `dialect`; a complaint where that is NULL because a file of the program could not be read. */
const struct dialect *config_dialect_read(struct config_reader *reader,
                                          const struct dialect *dialect);

/* ---- config_realms.c ---- */

/* Takes all sections but [retoken], and adds what exists without one. False: a complaint. */
bool config_take_realms(struct config_reader *reader);
/* A realm with the dialect's defaults, and no name yet. NULL: a complaint. */
struct realm *config_add_realm(struct config_reader *reader, unsigned line,
                               const struct dialect *dialect);
/* That dialect's struct among the first `count` of the realms; NULL = there is none. */
const struct realm *config_find_realm(const struct config_reader *reader, struct text name,
                                      const struct dialect *dialect, size_t count);

/* ---- config_mounts.c ---- */

/* Takes a [mount] section; those of realms have been taken. False: a complaint. */
bool config_take_mount(struct config_reader *reader, const struct config_section *section);
/* Adds what exists without a section, after all of them. False: a complaint. */
bool config_add_own_mounts(struct config_reader *reader);
/* The caller has seen that the path is good and free. False: a complaint. */
bool config_add_mount(struct config_reader *reader, unsigned line, struct text path,
                      const struct endpoint *endpoint, const struct realm *realm);
/* The line of the mount at that path; 0 = none. */
unsigned config_taken_by(const struct config_reader *reader, struct text path);
/* Is the endpoint there at all in this realm? */
bool config_serves(const struct realm *realm, const struct endpoint *endpoint);
/* Could a request have this path? */
bool config_is_mountable(struct text path);
/* The names of all dialects into `out`, which it returns; for a mount also the endpoints of
 * dialects that issue no tokens. */
const char *config_list_dialects(bool for_mount, char *out, size_t room);
const char *config_list_endpoints(const struct dialect *dialect, char *out, size_t room);
/* Does it issue tokens? */
bool config_issues(const struct dialect *dialect);

/* ---- config_documents.c ---- */

/* Mounts the documents about issuers where they belong, and lets realms see all mounts; after
 * everything else. False: a complaint. */
bool config_add_documents(struct config_reader *reader);

/* ---- config_webhooks.c ---- */

/* Takes every [webhook NAME] section, after those of realms. False: a complaint. */
bool config_take_webhooks(struct config_reader *reader);

/* ---- config_checks.c ---- */

/* Refuses settings that the kind of store makes no use of. False: a complaint. */
bool config_check_store(struct config_reader *reader);
/* Refuses what does not go together in realms[realm] and what has no effect. False: a complaint. */
bool config_check_realm(struct config_reader *reader, size_t realm);

#endif
