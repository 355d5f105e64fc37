/* SPDX-License-Identifier: ISC */
/* signing_pem.c: reads keys from PEM and writes them. Knows PEM's labels and libcrypto. Does not
 * know algorithms or what a key may be used for (that is signing_profile.c). */
#include "token/signing_pem.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/crypto.h"

/* libcrypto would prompt on the terminal, which a server must not. */
static int no_pass_phrase(char *buffer, int size, int writing, void *self)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)self;
    return -1;
}

static bool holds(struct text t, const char *word)
{
    return t.size > 0 && memmem(t.data, t.size, word, strlen(word)) != NULL;
}

static BIO *open_text(struct text pem, struct fault *fault)
{
    if (pem.size == 0 || pem.size > SIGNING_PEM_MAX) {
        fault_set(fault, "the PEM text is %s", pem.size == 0 ? "empty" : "too large for a key");
        return NULL;
    }
    BIO *bio = crypto_start() ? BIO_new_mem_buf(pem.data, (int)pem.size) : NULL;
    if (bio == NULL) {
        fault_set(fault, "out of memory for a PEM text");
    }
    return bio;
}

/* Only for the wording: what is refused was refused by libcrypto. */
static const char *private_complaint(struct text pem)
{
    if (holds(pem, "ENCRYPTED")) {
        return "the private key is encrypted; give it without a pass phrase "
               "(openssl pkey -in KEY -out PLAIN)";
    } else if (holds(pem, "PRIVATE KEY")) {
        return "the private key cannot be read: damaged, or of a kind libcrypto does not know";
    } else if (holds(pem, "PUBLIC KEY")) {
        return "this is a public key; signing needs the private key";
    } else if (holds(pem, "CERTIFICATE")) {
        return "this is a certificate; signing needs the private key";
    }
    return "no private key in PEM form (-----BEGIN PRIVATE KEY-----)";
}

EVP_PKEY *signing_pem_private(struct text pem, struct fault *fault)
{
    BIO *bio = open_text(pem, fault);

    if (bio == NULL) {
        return NULL;
    }
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL);
    if (pkey == NULL) {
        fault_set(fault, "%s", private_complaint(pem));
    }
    ERR_clear_error();
    BIO_free(bio);
    return pkey;
}

EVP_PKEY *signing_pem_public(struct text pem, struct fault *fault)
{
    BIO *bio = open_text(pem, fault);

    if (bio == NULL) {
        return NULL;
    }
    EVP_PKEY *pkey = PEM_read_bio_PUBKEY(bio, NULL, no_pass_phrase, NULL);
    if (pkey == NULL && holds(pem, "PRIVATE KEY")) {
        fault_set(fault, "this is a private key; give the public key only "
                         "(openssl pkey -in KEY -pubout)");
    } else if (pkey == NULL) {
        fault_set(fault, "no public key in PEM form (-----BEGIN PUBLIC KEY-----)");
    }
    ERR_clear_error();
    BIO_free(bio);
    return pkey;
}

bool signing_pem_write(const EVP_PKEY *pkey, bool with_private, struct buffer *out)
{
    BIO *bio = BIO_new(BIO_s_secmem()); /* wiped when it is freed */
    char *data = NULL;
    bool written = bio != NULL && (with_private ? PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL,
                                                                                NULL, 0, NULL, NULL)
                                                : PEM_write_bio_PUBKEY(bio, pkey)) == 1;
    long size = written ? BIO_get_mem_data(bio, &data) : 0;

    if (size > 0) {
        buffer_add(out, (struct text){data, (size_t)size});
    }
    ERR_clear_error();
    BIO_free(bio);
    return size > 0;
}
