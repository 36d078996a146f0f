"""The public names, each with its home. `optbench/__init__.py` imports them at first use."""

from .analysis.leaderboard import Leaderboard as Leaderboard
from .contracts import Array as Array
from .contracts import Dataset as Dataset
from .contracts import DatasetSource as DatasetSource
from .contracts import Hyper as Hyper
from .contracts import InitContext as InitContext
from .contracts import Initializer as Initializer
from .contracts import Landscape as Landscape
from .contracts import Optimizer as Optimizer
from .contracts import ReportSection as ReportSection
from .contracts import Rule as Rule
from .contracts import Schedule as Schedule
from .contracts import StepContext as StepContext
from .contracts import Stepper as Stepper
from .contracts import Value as Value
from .contracts import Values as Values
from .contracts import decay as decay
from .contracts import hyper as hyper
from .data.downloads import fetch_files as fetch_files
from .data.given_data import make_dataset as make_dataset
from .data.splits import load_dataset as load_dataset
from .engine.initialization import initialize as initialize
from .engine.training import train as train
from .errors import ConfigError as ConfigError
from .errors import OptbenchError as OptbenchError
from .errors import PluginError as PluginError
from .errors import StoreError as StoreError
from .inspection.trajectories import trajectory as trajectory
from .network import Network as Network
from .records import Curve as Curve
from .records import RunResult as RunResult
from .records import RunSpec as RunSpec
from .records import Status as Status
from .registry.hookspecs import hookimpl as hookimpl
from .registry.signatures import read_signature as read_signature
from .study.api import compare as compare
from .study.api import merge as merge
from .study.api import replay as replay
from .study.network_inspection import Inspection as Inspection
from .study.network_inspection import compare_initializers as compare_initializers
from .study.network_inspection import inspect as inspect
from .study.saved import load_study as load_study
from .study.study import Study as Study
from .study.sweep_result import Sweep as Sweep
from .study.sweep_result import sweep as sweep

__all__: list[str]
__version__: str
