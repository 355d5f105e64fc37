/* SPDX-License-Identifier: ISC */
/* noop.c: does nothing, but is linked to all that retoken.fcgi is linked to: what the dynamic
 * linker and the libraries' own beginnings cost a CGI request before main(). */
int main(void)
{
    return 0;
}
