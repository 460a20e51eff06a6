#!/bin/sh
# Sixteen tasks of an array explore, each a shard, in a directory that all nodes see: sbatch slurm.sh
# When they have ended: halfopen explore merge part-* && halfopen explore -f halfopen.yaml
#SBATCH --job-name=explore
#SBATCH --array=1-16
#SBATCH --cpus-per-task=2
#SBATCH --mem=3G
#SBATCH --time=02:00:00
#SBATCH --requeue
exec halfopen explore -f halfopen.yaml --shard "$SLURM_ARRAY_TASK_ID/16" --report "part-$SLURM_ARRAY_TASK_ID"
