/* SPDX-License-Identifier: ISC */
/* version.c: what --version prints. Knows who can tell the version of what; does not know options
 * or output. */
#include <config.h> /* of the build, not process/config.h */

#include "process/version.h"

#include <stdio.h>

#include "base/crypto.h"
#include "process/confine.h"
#include "token/client_jwt.h"

void version_text(const char *program, char text[VERSION_TEXT_MAX])
{
    snprintf(text, VERSION_TEXT_MAX,
             "%s %s\n%s\nclient assertions verified by %s\nconfines itself: %s", program,
             PACKAGE_VERSION, crypto_library(), client_jwt_verifier,
             confine_words(confine_offer()));
}
