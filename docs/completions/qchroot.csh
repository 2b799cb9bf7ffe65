# tcsh completion for qchroot: source it from ~/.tcshrc
complete qchroot \
  'n/release/(list verify remove prune)/' \
  'n/plugin/(list info)/' \
  'c/--/(across-major after all any-release boot command dry-run force help isolation json list permission quiet ready release remove repair requires restart root size snapshot source source-tree stop-signal storage timeout trace-files user verbose version wait)/' \
  'p/1/(install create list status config start stop restart console exec ps delete export import release upgrade rollback check resize snapshot clone rename plugin doctor version)/'
