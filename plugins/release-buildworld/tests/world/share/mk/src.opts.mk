# Options of this world, declared as FreeBSD declares its own; see src.conf(5).
__DEFAULT_YES_OPTIONS = \
    GAMES \
    MAN \
    NIS \
    SENDMAIL \
    TOOLCHAIN

.for var in ${__DEFAULT_YES_OPTIONS}
.if defined(WITHOUT_${var})
MK_${var}:=	no
.else
MK_${var}:=	yes
.endif
.endfor
