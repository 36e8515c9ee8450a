#!/usr/bin/env bash
# A real two-node Slurm on this machine, for tests and trials: munge, slurmctld, two slurmd.
#   scripts/dev_slurm.sh start | stop | status
# Needs Debian's slurm-wlm and munge, and root. State is kept in DEV_SLURM_DIR (default /tmp/nemo_sdg_slurm).
set -euo pipefail

dir=${DEV_SLURM_DIR:-/tmp/nemo_sdg_slurm}
conf=/etc/slurm/slurm.conf
host=$(hostname -s)
cpus=$(nproc)

write_conf() {
  mkdir -p "$dir"/{state,spool1,spool2,log} /etc/slurm
  cat >"$conf" <<EOF
# written by scripts/dev_slurm.sh
ClusterName=dev
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=cred_expire=10
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool-%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd-%n.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,batch_sched_delay=1,sched_min_interval=0
MinJobAge=3600
KillWait=5
InactiveLimit=0
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobRequeue=1
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=17001 CPUs=$((cpus * 2)) RealMemory=8000 State=UNKNOWN
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=17002 CPUs=$((cpus * 2)) RealMemory=8000 State=UNKNOWN
PartitionName=dev Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
EOF
}

start() {
  for program in munged slurmctld slurmd sbatch; do
    command -v "$program" >/dev/null || { echo "dev_slurm: $program is not installed: apt-get install slurm-wlm munge" >&2; exit 2; }
  done
  if [ -f "$conf" ] && ! grep -q 'written by scripts/dev_slurm.sh' "$conf"; then
    echo "dev_slurm: $conf belongs to another cluster and is not changed" >&2
    exit 2
  fi
  if scontrol ping 2>/dev/null | grep -q 'is UP'; then
    echo "dev_slurm: already running"
    return
  fi
  write_conf
  if [ ! -f /etc/munge/munge.key ]; then
    (umask 077 && head -c 1024 /dev/urandom >/etc/munge/munge.key)
    chown munge: /etc/munge/munge.key
  fi
  mkdir -p /run/munge && chown munge: /run/munge
  munge -n >/dev/null 2>&1 || runuser -u munge -- munged
  slurmctld
  slurmd -N n1
  slurmd -N n2
  end_jobs
  for _ in $(seq 60); do
    if [ "$(sinfo -h -N -o '%T' 2>/dev/null | grep -c idle)" = 2 ]; then
      sinfo
      return
    fi
    sleep 0.5
  done
  echo "dev_slurm: the nodes did not become idle; see $dir/log" >&2
  exit 1
}

end_jobs() {  # of an earlier time too: a controller that is stopped before its jobs have ended finds them again
  scancel --user=root 2>/dev/null || return 0
  for _ in $(seq 100); do
    [ -n "$(squeue -h --user=root 2>/dev/null)" ] || return 0
    sleep 0.1
  done
}

stop() {
  end_jobs
  for name in slurmd-n1 slurmd-n2 slurmctld; do
    [ -f "$dir/$name.pid" ] && kill "$(cat "$dir/$name.pid")" 2>/dev/null || true
  done
}

case "${1:-}" in
  start) start ;;
  stop) stop ;;
  status) sinfo && squeue ;;
  *) echo "usage: $0 start | stop | status" >&2; exit 2 ;;
esac
