/* SPDX-License-Identifier: ISC */
/* certificates.h: two self-signed certificates that need not be made. */
#ifndef RETOKEN_TESTS_TOKEN_CERTIFICATES_H
#define RETOKEN_TESTS_TOKEN_CERTIFICATES_H

/* Alternative names: DNS:app.example, DNS:*.wild.example, URI:urn:app:1, IP:192.0.2.7,
 * IP:2001:db8::7, email:app@example.org */
#define CERTIFICATES_APP_DN         "CN=App\\, Inc.,O=Bank+OU=\303\204,C=DE"
#define CERTIFICATES_APP_THUMBPRINT "P7MuwZxI-sBrI0xLc7jw_O1F3vqPr5nbUORG9YeZjNo"
#define CERTIFICATES_APP                                                                           \
    "-----BEGIN CERTIFICATE-----\n"                                                                \
    "MIICKjCCAdGgAwIBAgIUIyo/ru3Es80OJmHFFj5NOfRemZYwCgYIKoZIzj0EAwIw\n"                           \
    "OzELMAkGA1UEBhMCREUxGDAJBgNVBAsMAsOEMAsGA1UECgwEQmFuazESMBAGA1UE\n"                           \
    "AwwJQXBwLCBJbmMuMCAXDTI2MTEyNjE4NDE1OVoYDzIxMjYxMTAyMTg0MTU5WjA7\n"                           \
    "MQswCQYDVQQGEwJERTEYMAkGA1UECwwCw4QwCwYDVQQKDARCYW5rMRIwEAYDVQQD\n"                           \
    "DAlBcHAsIEluYy4wWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASGQoaJ7MjEzBRP\n"                           \
    "/Pg4ls82ybxxMt0kZ4lK9o66K4Za7DSKnvydSXGwd24LUAqqyHbwFPLm2eQoWTXm\n"                           \
    "mZuGyHLSo4GwMIGtMB0GA1UdDgQWBBS/CN5lQ+Ckyz3+cyTPiGNCF0O9CTAfBgNV\n"                           \
    "HSMEGDAWgBS/CN5lQ+Ckyz3+cyTPiGNCF0O9CTAPBgNVHRMBAf8EBTADAQH/MFoG\n"                           \
    "A1UdEQRTMFGCC2FwcC5leGFtcGxlgg4qLndpbGQuZXhhbXBsZYYJdXJuOmFwcDox\n"                           \
    "hwTAAAIHhxAgAQ24AAAAAAAAAAAAAAAHgQ9hcHBAZXhhbXBsZS5vcmcwCgYIKoZI\n"                           \
    "zj0EAwIDRwAwRAIgaI2zaMVXxZ4LDcc/kXqc6Om5KGhHuF5c19gmMcQy3JECICIe\n"                           \
    "pm/Tg4yagHRt6KErg0lp8cnJl1cTHAQFanfnejA8\n"                                                   \
    "-----END CERTIFICATE-----\n"

#define CERTIFICATES_OTHER_THUMBPRINT "U-Hwez5BI41Yi6jifUSxKOeizNaO5eKZLJkJmR0WbP0"
#define CERTIFICATES_OTHER                                                                         \
    "-----BEGIN CERTIFICATE-----\n"                                                                \
    "MIIBdjCCAR2gAwIBAgIUG8pitfGPSCBR0SZXHHVNRIUlfLowCgYIKoZIzj0EAwIw\n"                           \
    "EDEOMAwGA1UEAwwFb3RoZXIwIBcNMjYxMTI2MTg0MTU5WhgPMjEyNjExMDIxODQx\n"                           \
    "NTlaMBAxDjAMBgNVBAMMBW90aGVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n"                           \
    "sdSJqa27vpCFFBqWmUszo7v7Xf8VMo/zyID0nWIbKalVkcrukWSeTwv23Grdbck8\n"                           \
    "g8XWgnlBEIdN2LdIR1aaYKNTMFEwHQYDVR0OBBYEFM2aqrWMAOpNsjgFmWBncVl+\n"                           \
    "fFGYMB8GA1UdIwQYMBaAFM2aqrWMAOpNsjgFmWBncVl+fFGYMA8GA1UdEwEB/wQF\n"                           \
    "MAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgTu7YsgKbtGKptYsGTp9u0b/+Iq0byFbJ\n"                           \
    "ymemt3AcSxkCIB2zf7jvkmRHH1kz2c6jPVw8DeW0CBeVkSY4QAIC/6HD\n"                                   \
    "-----END CERTIFICATE-----\n"

#endif
