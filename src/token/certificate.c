/* SPDX-License-Identifier: ISC */
/* certificate.c: see certificate.h. Knows PEM's frame and libcrypto's X.509. */
#include "token/certificate.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/x509v3.h>

#include "base/codec.h"

static bool decode_percent(struct arena *arena, struct text *t);
static X509 *open_x509(const struct certificate *certificate);
static bool is_subject(X509 *x509, struct text name);
static bool has_alternative(X509 *x509, enum certificate_name kind, struct text name);
static bool is_alternative(const GENERAL_NAME *general, enum certificate_name kind,
                           struct text name);
static struct text text_of_string(const ASN1_STRING *string);

/* ---- what the web server passes ---- */

static const char begin_word[] = "-----BEGIN CERTIFICATE-----";
static const char end_word[] = "-----END CERTIFICATE-----";

/* Where that word begins; t.size: nowhere. */
static size_t find_word(struct text t, const char *word)
{
    const char *at = t.size > 0 ? memmem(t.data, t.size, word, strlen(word)) : NULL;

    return at != NULL ? (size_t)(at - t.data) : t.size;
}

enum certificate_result certificate_read(struct arena *arena, struct text *pem,
                                         struct certificate *certificate)
{
    struct text inside;
    size_t begin, end;

    if (pem->size > CERTIFICATE_SIZE_MAX ||
        (text_find(*pem, '%') < pem->size && !decode_percent(arena, pem))) {
        return CERTIFICATE_MALFORMED;
    }
    begin = find_word(*pem, begin_word);
    inside = text_from(*pem, begin + strlen(begin_word));
    end = find_word(inside, end_word);
    if (begin == pem->size || end == inside.size) {
        return CERTIFICATE_MALFORMED;
    }
    *pem = text_from(inside, end + strlen(end_word));
    return certificate_from_base64(arena, text_cut(inside, end), certificate);
}

/* Not as in a form: `+` is a digit of base64, and line ends are wanted. */
static bool decode_percent(struct arena *arena, struct text *t)
{
    char *out = arena_alloc(arena, t->size);
    size_t size = 0;

    for (size_t i = 0; out != NULL && i < t->size; i++) {
        if (t->data[i] != '%') {
            out[size++] = t->data[i];
        } else if (codec_hex_decode(text_cut(text_from(*t, i + 1), 2), &out[size++], 1)) {
            i += 2;
        } else {
            return false;
        }
    }
    *t = (struct text){out, size};
    return out != NULL;
}

enum certificate_result certificate_from_base64(struct arena *arena, struct text encoded,
                                                struct certificate *certificate)
{
    char *packed = arena_alloc(arena, encoded.size + 1);
    char *der = arena_alloc(arena, encoded.size + 1);
    size_t size = 0, der_size = 0;

    if (packed == NULL || der == NULL) {
        return CERTIFICATE_FAULT;
    }
    for (size_t i = 0; i < encoded.size; i++) {
        if (memchr(" \t\r\n", encoded.data[i], 4) == NULL) {
            packed[size++] = encoded.data[i];
        }
    }
    if (!codec_base64_decode((struct text){packed, size}, der, encoded.size, &der_size) ||
        der_size == 0) {
        return CERTIFICATE_MALFORMED;
    }
    certificate->der = (struct text){der, der_size};
    return crypto_sha256(der, der_size, certificate->thumbprint) ? CERTIFICATE_READ
                                                                 : CERTIFICATE_FAULT;
}

/* ---- what it says ---- */

bool certificate_is_x509(const struct certificate *certificate)
{
    X509 *x509 = open_x509(certificate);

    X509_free(x509);
    return x509 != NULL;
}

bool certificate_has_name(const struct certificate *certificate, enum certificate_name kind,
                          struct text name)
{
    X509 *x509 = open_x509(certificate);
    bool has =
        x509 != NULL && name.size > 0 &&
        (kind == CERTIFICATE_NAME_DN ? is_subject(x509, name) : has_alternative(x509, kind, name));

    X509_free(x509);
    return has;
}

/* NULL: it is none, or something follows it. */
static X509 *open_x509(const struct certificate *certificate)
{
    const unsigned char *at = (const unsigned char *)certificate->der.data;
    const unsigned char *end = at + certificate->der.size;
    X509 *x509 = crypto_start() && certificate->der.size > 0
                     ? d2i_X509(NULL, &at, (long)certificate->der.size)
                     : NULL;

    if (x509 != NULL && at != end) {
        X509_free(x509);
        x509 = NULL;
    }
    return x509;
}

/* As `openssl x509 -subject -nameopt RFC2253,-esc_msb` prints it. */
static bool is_subject(X509 *x509, struct text name)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *data = NULL;
    bool same = false;

    if (out != NULL && X509_NAME_print_ex(out, X509_get_subject_name(x509), 0,
                                          XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) > 0) {
        long size = BIO_get_mem_data(out, &data);

        same = size > 0 && text_equal(name, (struct text){data, (size_t)size});
    }
    BIO_free(out);
    return same;
}

static bool has_alternative(X509 *x509, enum certificate_name kind, struct text name)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
    bool has = false;

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        has = has || is_alternative(sk_GENERAL_NAME_value(names, i), kind, name);
    }
    GENERAL_NAMES_free(names);
    return has;
}

static bool is_alternative(const GENERAL_NAME *general, enum certificate_name kind,
                           struct text name)
{
    static const int types[CERTIFICATE_NAMES] = {[CERTIFICATE_NAME_DN] = -1,
                                                 [CERTIFICATE_NAME_DNS] = GEN_DNS,
                                                 [CERTIFICATE_NAME_URI] = GEN_URI,
                                                 [CERTIFICATE_NAME_IP] = GEN_IPADD,
                                                 [CERTIFICATE_NAME_EMAIL] = GEN_EMAIL};
    int type;
    const ASN1_STRING *string = GENERAL_NAME_get0_value(general, &type);
    char spelled[64];
    ASN1_OCTET_STRING *address;
    bool same;

    if (type != types[kind]) {
        return false;
    } else if (kind == CERTIFICATE_NAME_DNS) {
        return text_equal_ignore_case(text_of_string(string), name);
    } else if (kind != CERTIFICATE_NAME_IP) {
        return text_equal(text_of_string(string), name);
    }
    address = text_copy(name, spelled, sizeof spelled) ? a2i_IPADDRESS(spelled) : NULL;
    same = address != NULL && ASN1_STRING_cmp(address, string) == 0;
    ASN1_OCTET_STRING_free(address);
    return same;
}

static struct text text_of_string(const ASN1_STRING *string)
{
    return (struct text){(const char *)ASN1_STRING_get0_data(string),
                         (size_t)ASN1_STRING_length(string)};
}
