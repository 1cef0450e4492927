# bash completion of wormgate and virus.
# Written by `npm run generate`: change the tables that it follows.

# The words, and with -f or -d the names of files or folders, that begin as the word that is typed.
_wormgate_offer() {
  local word line
  word=${COMP_WORDS[COMP_CWORD]}
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(
    compgen -W "$1" -- "$word"
    if [[ -n $2 ]]; then compgen "$2" -- "$word"; fi
  )
  if [[ -n $2 ]]; then compopt -o filenames 2>/dev/null; fi
}

_wormgate_console() {
  local begin=$1 i=$1
  case "${COMP_WORDS[i]}" in
    --data) if [[ "${COMP_WORDS[i+1]}" == '=' ]]; then i=$((i + 3)); else i=$((i + 2)); fi ;;
    --data=*) i=$((i + 1)) ;;
  esac
  case "${COMP_WORDS[COMP_CWORD-1]}" in
    --data) _wormgate_offer '' -d; return ;;
    -t|-r|-e|-m|-p|-o|-k|-n|-s) return ;;
  esac
  if [[ $COMP_CWORD -le $i ]]; then
    if [[ $i -eq $begin ]]; then _wormgate_offer 'add del accept reject list dump show origins sources source forgive block fleet run -t -r -e -m -c -h --data'; else _wormgate_offer 'add del accept reject list dump show origins sources source forgive block fleet run -t -r -e -m -c -h'; fi
    return
  fi
  case "${COMP_WORDS[i]}" in
    add) _wormgate_offer '-p -o -k -h' ;;
    del) _wormgate_offer '-p -o -k -h' ;;
    accept) _wormgate_offer '-p -o -h' ;;
    reject) _wormgate_offer '-p -o -h' ;;
    list) _wormgate_offer '-k -h' ;;
    dump) _wormgate_offer '-h' ;;
    show) _wormgate_offer '-h' ;;
    origins) _wormgate_offer '-h' ;;
    sources) _wormgate_offer '-n -h' ;;
    source) _wormgate_offer '-h' ;;
    forgive) _wormgate_offer '-h' ;;
    block) _wormgate_offer '-s -h' ;;
    fleet) _wormgate_offer '-h' ;;
    run) _wormgate_offer '-h' -f ;;
    -*) _wormgate_offer '-t -r -e -m -c -h' ;;
  esac
}

_wormgate_cache() {
  local begin=$1 i=$1
  case "${COMP_WORDS[i]}" in
    --data) if [[ "${COMP_WORDS[i+1]}" == '=' ]]; then i=$((i + 3)); else i=$((i + 2)); fi ;;
    --data=*) i=$((i + 1)) ;;
  esac
  case "${COMP_WORDS[COMP_CWORD-1]}" in
    --data) _wormgate_offer '' -d; return ;;
  esac
  if [[ $COMP_CWORD -le $i ]]; then
    if [[ $i -eq $begin ]]; then _wormgate_offer 'show purge --data'; else _wormgate_offer 'show purge'; fi
    return
  fi
  case "${COMP_WORDS[i]}" in
    show) _wormgate_offer 'newest' ;;
    purge) _wormgate_offer 'all' ;;
  esac
}

_wormgate_program() {
  if [[ $COMP_CWORD -eq 1 ]]; then _wormgate_offer 'start check console status tune virus cache completion --help --version'; return; fi
  case "${COMP_WORDS[1]}" in
    virus) _wormgate_console 2; return ;;
    cache) _wormgate_cache 2; return ;;
  esac
  case "${COMP_WORDS[COMP_CWORD-1]}" in
    --config) _wormgate_offer '' -f; return ;;
    --data) _wormgate_offer '' -d; return ;;
    --source) _wormgate_offer ''; return ;;
    --verdicts) _wormgate_offer '' -f; return ;;
  esac
  case "${COMP_WORDS[1]}" in
    start) _wormgate_offer '--config --data' ;;
    check) _wormgate_offer '--config' ;;
    console) _wormgate_offer '--data' ;;
    status) _wormgate_offer '--data --source --advise' ;;
    tune) _wormgate_offer '--config --verdicts' -f ;;
    completion) _wormgate_offer 'bash zsh' ;;
  esac
}

_wormgate() { COMPREPLY=(); _wormgate_program; }
_virus() { COMPREPLY=(); _wormgate_console 1; }

complete -F _wormgate wormgate
complete -F _virus virus
