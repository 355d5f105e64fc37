## src/token
noinst_LIBRARIES += libtoken.a
libtoken_a_SOURCES = \
	src/token/secrets.c \
	src/token/secrets.h \
	src/token/refresh_token.c \
	src/token/refresh_token.h \
	src/token/signing_profile.c \
	src/token/signing_profile.h \
	src/token/signing_pem.c \
	src/token/signing_pem.h \
	src/token/signing_numbers.c \
	src/token/signing_numbers.h \
	src/token/signing_pair.c \
	src/token/signing_pair.h \
	src/token/signing_jwk.c \
	src/token/signing_jwk.h \
	src/token/signing_key.c \
	src/token/signing_key.h \
	src/token/keyring.c \
	src/token/keyring.h \
	src/token/jws.c \
	src/token/jws.h \
	src/token/layout.c \
	src/token/layout.h \
	src/token/foreign_jwt.c \
	src/token/foreign_jwt.h
