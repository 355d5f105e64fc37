/* SPDX-License-Identifier: ISC */
/* doctor.c: `retoken doctor`: everything that has to be right, one line each, with what would be
 * right. Goes on after a FAIL as far as the rest can be checked. Changes nothing. Knows the order;
 * what is checked is in the files beside it. */
#include "admin/doctor/doctor.h"

#include <stdarg.h>
#include <stdio.h>

#include "admin/verbs/verbs.h"

static const struct column columns[] = {
    {"check", "check", COLUMN_TEXT, false},
    {"state", "state", COLUMN_TEXT, false},
    {"detail", "detail", COLUMN_TEXT, false},
};
enum { COLUMNS = sizeof columns / sizeof columns[0], DETAIL_MAX = 1600 };

static void examine(struct examination *e);
static bool read_config(struct examination *e);
static void examine_store(struct examination *e);

enum call_end doctor_run(struct call *call)
{
    const char *url = options_value(&call->options, OPTION_URL);
    struct examination e = {.call = call};

    if (url == NULL && options_has(&call->options, OPTION_CA_FILE)) {
        return call_wrong(call, "--ca-file goes with --url");
    }
    output_table_start(&call->output, columns, COLUMNS);
    if (url == NULL) {
        examine(&e);
    } else if (read_config(&e)) { /* from any machine: without a file, the mounts of none */
        doctor_config_file_examine(&e);
        doctor_site_examine(&e, url);
    }
    output_table_end(&call->output, "");
    return e.worst == HEALTH_FAIL ? CALL_FAULT : CALL_DONE;
}

static void examine(struct examination *e)
{
    struct fault fault = {0};

    if (!read_config(e)) {
        return;
    }
    doctor_settings_examine(e);
    doctor_processes_examine(e);
    doctor_mounts_examine(e);
    if (!service_is_installed(&e->call->service.config, &fault)) {
        doctor_report(e, "installation", HEALTH_FAIL, "%s", fault.text);
    } else if (!doctor_files_examine(e)) {
        doctor_report(e, "store", HEALTH_FAIL, "not checked until the above is right");
    } else {
        examine_store(e);
    }
}

static bool read_config(struct examination *e)
{
    struct fault fault = {0};

    if (!config_load(options_value(&e->call->options, OPTION_CONFIG), &e->call->service.config,
                     &fault)) {
        doctor_report(e, "configuration", HEALTH_FAIL, "%s", fault.text);
        return false;
    }
    return true;
}

static void examine_store(struct examination *e)
{
    struct call *call = e->call;
    struct fault fault = {0};

    if (service_look(&call->service.config, &fault) != STORE_OK ||
        !service_open(&call->service, false, true, &fault)) {
        doctor_report(e, "store", HEALTH_FAIL, "%s", fault.text);
        doctor_clock_examine(e, false);
        return;
    }
    call->opened = true;
    doctor_report(e, "store", HEALTH_OK, "%s opens with this secret", call->service.config.store);
    doctor_remarks_examine(e);
    doctor_secret_examine(e);
    doctor_ended_examine(e);
    doctor_keys_examine(e);
    doctor_adoption_examine(e);
    doctor_clients_examine(e);
    doctor_history_examine(e);
    doctor_webhooks_examine(e);
    doctor_clock_examine(e, true);
}

enum health doctor_report(struct examination *e, const char *check, enum health health,
                          const char *format, ...)
{
    static const char *const words[] = {"ok", "warn", "FAIL"};
    char detail[DETAIL_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    const struct cell cells[COLUMNS] = {
        CELL_TEXT(text_of(check)), CELL_TEXT(text_of(words[health])), CELL_TEXT(text_of(detail))};
    output_row(&e->call->output, cells);
    e->worst = health > e->worst ? health : e->worst;
    return health;
}
