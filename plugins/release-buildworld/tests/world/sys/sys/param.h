#undef __FreeBSD_version
#define __FreeBSD_version 1401000
