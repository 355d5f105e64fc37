/* SPDX-License-Identifier: ISC */
/* key.c: `retoken key add`, import and export. Knows where a signing key comes from and goes
 * to, and what is refused; does not know how it signs. */
#include "admin/verbs/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin/prompt.h"
#include "admin/key_need.h"
#include "base/secret.h"
#include "token/adoption_key.h"
#include "base/whole_file.h"
#include "token/signing_file.h"

enum { KEY_FILE_MAX = 16 * 1024 };

static enum call_end read_options(struct call *call, struct signing_row *row);
static struct signing_key *key_of_file(struct call *call, enum signing_algorithm algorithm,
                                       const char *path, struct fault *fault);
static enum call_end import_foreign(struct call *call, struct signing_row *row, const char *path);
static bool seal_foreign(struct call *call, struct signing_row *row, const char *path,
                         struct fault *fault);
static enum call_end refuse_file(struct call *call, const char *path, const struct fault *fault,
                                 const char *advice);
static enum call_end keep(struct call *call, struct signing_key *key, struct signing_row *row,
                          const char *what);
static enum call_end keep_row(struct call *call, struct signing_row *row, const char *what);

/* ---- add and import ---- */

enum call_end verbs_key_add(struct call *call)
{
    struct signing_row row = {0};
    struct fault fault = {0};
    enum call_end end = read_options(call, &row);

    if (end != CALL_DONE) {
        return end;
    }
    struct signing_key *key = signing_key_generate(
        row.algorithm, options_value(&call->options, OPTION_KID), &call->randomness, &fault);
    return key != NULL ? keep(call, key, &row, "added") : call_fault(call, &fault);
}

enum call_end verbs_key_import(struct call *call)
{
    struct signing_row row = {0};
    struct fault fault = {0};
    const char *path = call_argument(call, 0);
    enum call_end end = read_options(call, &row);

    if (end != CALL_DONE) {
        return end;
    }
    path = path != NULL ? path : "-";
    if (options_has(&call->options, OPTION_VERIFY_ONLY)) {
        return import_foreign(call, &row, path);
    }
    struct signing_key *key = key_of_file(call, row.algorithm, path, &fault);
    if (key == NULL) {
        return refuse_file(call, path, &fault, "");
    }
    if (!options_has(&call->options, OPTION_FORCE) && signing_key_is_weak(key, &fault)) {
        signing_key_close(key);
        return refuse_file(call, path, &fault, "; --force imports it all the same");
    }
    return keep(call, key, &row, "imported");
}

static enum call_end refuse_file(struct call *call, const char *path, const struct fault *fault,
                                 const char *advice)
{
    return call_refuse(call, "%s: not imported: %s%s",
                       strcmp(path, "-") == 0 ? "standard input" : path, fault->text, advice);
}

/* A key of another server. A secret that anyone may know lets anyone in, so that takes a word. */
static enum call_end import_foreign(struct call *call, struct signing_row *row, const char *path)
{
    struct fault fault = {0};

    if (row->state == SIGNING_ACTIVE) {
        return call_wrong(call, "--activate: a verify-only key never signs");
    } else if (!seal_foreign(call, row, path, &fault)) {
        return refuse_file(call, path, &fault, "");
    }
    row->state = SIGNING_VERIFY_ONLY;
    if (signing_algorithm_is_secret(row->algorithm) && !options_has(&call->options, OPTION_FORCE)) {
        struct signing_key *key = signing_key_unseal(row, &call->service.secrets, &fault);
        bool is_weak = key != NULL && signing_key_is_weak(key, &fault);

        signing_key_close(key);
        if (is_weak) {
            return refuse_file(call, path, &fault,
                               ": whoever knows it logs in as anyone where it is adopted; --force "
                               "imports it all the same");
        }
    }
    return keep_row(call, row, "imported");
}

static bool seal_foreign(struct call *call, struct signing_row *row, const char *path,
                         struct fault *fault)
{
    const char *kid = options_value(&call->options, OPTION_KID);
    char data[KEY_FILE_MAX];
    size_t size;

    if (!prompt_file(path, data, sizeof data, &size, fault)) {
        return false;
    }
    bool sealed = adoption_key_seal(call->arena, row->algorithm, (struct text){data, size}, kid,
                                    &call->service.secrets, &call->randomness, row, fault);
    secret_wipe(data, sizeof data);
    return sealed;
}

/* --algorithm and --realm into the row. */
static enum call_end read_options(struct call *call, struct signing_row *row)
{
    const char *name = options_value(&call->options, OPTION_ALGORITHM);
    const char *realm = options_value(&call->options, OPTION_REALM);

    if (name == NULL) {
        return call_wrong(call, "--algorithm is missing: %s", options_row(OPTION_ALGORITHM)->help);
    }
    if (!signing_algorithm_parse(text_of(name), &row->algorithm)) {
        return call_wrong(call, "--algorithm %s: write one of %s", name,
                          options_row(OPTION_ALGORITHM)->help);
    }
    if (!signing_algorithm_is_ours(row->algorithm) &&
        !options_has(&call->options, OPTION_VERIFY_ONLY)) {
        return call_wrong(call,
                          "--algorithm %s: only with --verify-only, because Retoken does not "
                          "sign with it",
                          name);
    }
    row->state = options_has(&call->options, OPTION_ACTIVATE) ? SIGNING_ACTIVE : SIGNING_PUBLISHED;
    row->created_ms = call->now_ms;
    if (realm == NULL) {
        return CALL_DONE;
    }
    if (!text_copy(text_of(realm), row->realm, sizeof row->realm)) {
        return call_wrong(call, "--realm: at most %d characters", SIGNING_REALM_MAX);
    }
    for (size_t i = 0; i < call->service.config.mount_count; i++) {
        if (strcmp(call->service.config.mounts[i].realm->name, realm) == 0) {
            return CALL_DONE;
        }
    }
    return call_refuse(call,
                       "no mount has the realm %s; a mount's realm is its path unless the "
                       "configuration names another",
                       realm);
}

static struct signing_key *key_of_file(struct call *call, enum signing_algorithm algorithm,
                                       const char *path, struct fault *fault)
{
    char data[KEY_FILE_MAX];
    size_t size;
    const char *kid = options_value(&call->options, OPTION_KID);

    if (!prompt_file(path, data, sizeof data, &size, fault)) {
        return NULL;
    }
    struct signing_key *key =
        signing_file_read(call->arena, algorithm, (struct text){data, size}, kid, fault);

    secret_wipe(data, sizeof data);
    return key;
}

/* Seals the key into the row, stores it and says so. Closes the key. */
static enum call_end keep(struct call *call, struct signing_key *key, struct signing_row *row,
                          const char *what)
{
    struct fault fault = {0};
    bool sealed = signing_key_seal(key, &call->service.secrets, &call->randomness, row, &fault);

    signing_key_close(key);
    return sealed ? keep_row(call, row, what) : call_fault(call, &fault);
}

static enum call_end keep_row(struct call *call, struct signing_row *row, const char *what)
{
    char note[EVENT_NOTE_MAX + 1];
    struct store_write write;
    struct fault fault = {0};

    snprintf(note, sizeof note, "%s %s", row->kid, what);
    store_prepare_key_add(&write, row);
    call_attach(call, &write, EVENT_KEY, 0, NULL, "added", note);
    switch (store_write(call->service.store, &write, &fault)) {
    case STORE_OK:
        break;
    case STORE_EXISTS:
        return call_refuse(call, "key %s exists; `retoken key list` shows its state", row->kid);
    case STORE_ABSENT:
    case STORE_STALE:
    case STORE_FAULT:
        return call_fault(call, &fault);
    }
    verbs_key_record(call, row);
    output_say(&call->output, "%s key %s %s, %s", signing_algorithm_name(row->algorithm), row->kid,
               what,
               row->state == SIGNING_ACTIVE ? "active: it signs from now on"
               : row->state == SIGNING_VERIFY_ONLY
                   ? "verify-only: what it signed can be adopted where a realm has adopt = on"
                   : "published: it verifies, and signs after `retoken key activate`");
    return CALL_DONE;
}

/* ---- export ---- */

static bool is_readable(struct call *call, const struct signing_row *row, bool with_private,
                        struct text *text, struct fault *fault);
static enum call_end refuse_existing(const struct call *call, const char *path);
static enum call_end write_file(struct call *call, const char *path, struct text text);

enum call_end verbs_key_export(struct call *call)
{
    const char *kid = call_argument(call, 0), *path = call_argument(call, 1);
    bool with_private = !options_has(&call->options, OPTION_PUBLIC);
    struct fault fault = {0};
    struct text text;
    size_t count = 0;
    enum call_end end;
    struct signing_row *rows = verbs_key_rows(call, &count, &end);
    const struct signing_row *row = rows != NULL ? verbs_key_find(rows, count, kid) : NULL;

    path = path != NULL ? path : "-";
    if (rows == NULL) {
        return end;
    } else if (row == NULL) {
        return call_refuse(call, "no key %s; `retoken key list` shows all", kid);
    } else if (signing_state_is_foreign(row->state)) {
        return call_refuse(call, "key %s is of another server, which has it", kid);
    } else if (!with_private && signing_algorithm_is_secret(row->algorithm)) {
        return call_refuse(call, "key %s is a secret, which has no public part", kid);
    } else if (with_private && strcmp(path, "-") == 0 && isatty(STDOUT_FILENO) &&
               !options_has(&call->options, OPTION_FORCE)) {
        return call_refuse(call,
                           "a private key is not printed on a terminal: name a file, or - and a "
                           "pipe, or --public, or use --force");
    } else if (strcmp(path, "-") != 0 && access(path, F_OK) == 0) {
        return refuse_existing(call, path);
    } else if (!is_readable(call, row, with_private, &text, &fault)) {
        return call_fault(call, &fault);
    }
    char note[EVENT_NOTE_MAX + 1];
    snprintf(note, sizeof note, "%s exported", kid);
    end = with_private ? call_event(call, EVENT_KEY, 0, NULL, note) : CALL_DONE;
    return end == CALL_DONE ? write_file(call, path, text) : end;
}

static bool is_readable(struct call *call, const struct signing_row *row, bool with_private,
                        struct text *text, struct fault *fault)
{
    struct signing_key *key = signing_key_unseal(row, &call->service.secrets, fault);
    struct buffer buffer;

    if (key == NULL) {
        return false;
    }
    buffer_start(&buffer, call->arena, KEY_FILE_MAX);
    bool written = signing_file_write(key, with_private, &buffer) && buffer_finish(&buffer, text);
    signing_key_close(key);
    if (!written) {
        fault_set(fault, "key %s cannot be written: out of memory, or libcrypto failed", row->kid);
    }
    return written;
}

static enum call_end refuse_existing(const struct call *call, const char *path)
{
    return call_refuse(call, "%s is there already, and stays as it is", path);
}

static enum call_end write_file(struct call *call, const char *path, struct text text)
{
    struct fault fault = {0};

    if (strcmp(path, "-") == 0) {
        if (whole_file_write_all(STDOUT_FILENO, text.data, text.size)) {
            return CALL_DONE;
        }
        fault_set(&fault, "standard output: %s", strerror(errno));
        return call_fault(call, &fault);
    }
    switch (whole_file_create(path, text, 0600, &fault)) {
    case WHOLE_FILE_DONE:
        output_say(&call->output, "written to %s, which only you can read", path);
        return CALL_DONE;
    case WHOLE_FILE_EXISTS:
        return refuse_existing(call, path);
    case WHOLE_FILE_FAULT:
        break;
    }
    return call_fault(call, &fault);
}
