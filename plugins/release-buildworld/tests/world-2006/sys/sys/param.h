#undef __FreeBSD_version
#define __FreeBSD_version 601000	/* Master, propagated to newvers */
