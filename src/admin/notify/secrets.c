/* SPDX-License-Identifier: ISC */
/* secrets.c: see secrets.h. */
#include "admin/notify/secrets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/crypto.h"
#include "base/private_file.h"
#include "base/secret.h"

enum { FILE_MOST = 1024, TIME_ROOM = 32 };

static bool take_line(struct text line, struct notify_secrets *secrets);

bool notify_secrets_read(const char *path, struct notify_secrets *secrets, struct fault *fault)
{
    char content[FILE_MOST];
    ssize_t size = private_file_read(path, "the secret", content, sizeof content, fault);
    bool good = size >= 0;

    *secrets = (struct notify_secrets){0};
    for (struct text rest = {content, good ? (size_t)size : 0}; rest.size > 0;) {
        struct text line = text_strip(text_split(&rest, '\n'));

        good = good && (line.size == 0 || take_line(line, secrets));
    }
    if (size >= 0 && (!good || secrets->count == 0)) {
        good = false;
        fault_set(fault,
                  "%s: not one or two lines of whsec_ and base64 of 24 to 64 bytes; make one with "
                  "(printf whsec_; head -c 32 /dev/urandom | base64)",
                  path);
    }
    secret_wipe(content, sizeof content);
    return good;
}

static bool take_line(struct text line, struct notify_secrets *secrets)
{
    const struct text prefix = TEXT("whsec_");

    if (secrets->count == NOTIFY_SECRETS || !text_starts(line, prefix) ||
        !codec_base64_decode(text_from(line, prefix.size), secrets->each[secrets->count].bytes,
                             NOTIFY_SECRET_MOST, &secrets->each[secrets->count].size)) {
        return false;
    }
    return secrets->each[secrets->count++].size >= NOTIFY_SECRET_LEAST;
}

bool notify_secrets_sign(const struct notify_secrets *secrets, struct text id, int64_t timestamp_s,
                         struct text body, char out[NOTIFY_SECRETS * (NOTIFY_SIGNATURE_SIZE + 1)])
{
    size_t room = id.size + TIME_ROOM + body.size;
    char *content = malloc(room);
    uint8_t mac[CRYPTO_HASH_SIZE];
    bool good = content != NULL;
    size_t size = 0;

    if (good) {
        size = (size_t)snprintf(content, room, "%.*s.%" PRId64 ".", TEXT_ARGS(id), timestamp_s);
        memcpy(content + size, body.data, body.size);
        size += body.size;
    }
    for (size_t i = 0; good && i < secrets->count; i++) {
        struct crypto_mac *key = crypto_mac_open(secrets->each[i].bytes, secrets->each[i].size);

        good = key != NULL && crypto_mac_compute(key, content, size, mac);
        crypto_mac_close(key);
        memcpy(out, i > 0 ? " v1," : "v1,", i > 0 ? 4 : 3);
        out += i > 0 ? 4 : 3;
        codec_base64_encode(mac, sizeof mac, out);
        out += codec_base64_size(sizeof mac);
    }
    *out = '\0';
    free(content);
    return good;
}
