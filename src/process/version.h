/* SPDX-License-Identifier: ISC */
/* version.h: which version this is and what it was built from. */
#ifndef RETOKEN_PROCESS_VERSION_H
#define RETOKEN_PROCESS_VERSION_H

enum { VERSION_TEXT_MAX = 256 };

/* Lines without a last newline: the program and its version, libcrypto as it is linked or loaded,
 * the verifier of client assertions, and what a responder confines itself to on this kernel. */
void version_text(const char *program, char text[VERSION_TEXT_MAX]);

#endif
