export { planUninstall, type UninstallOptions, type UninstallPlan, type Workload } from './plan';
