"""Import rules that import-linter has no contract for."""

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class _Listing(Contract):
    """A contract whose violations are single imports, listed as they stand."""

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported in check.metadata["imports"]:
            output.print_error(f"{importer} imports {imported}")
        output.new_line()

    @staticmethod
    def _verdict(imports: list[tuple[str, str]]) -> ContractCheck:
        return ContractCheck(kept=not imports, metadata={"imports": sorted(imports)})


class DriversContract(_Listing):
    """A driver (a package in ``parent``) imports nothing of ours but itself and ``allowed``, and
    what is allowed imports nothing else of ours either.

    So a driver can be written, tested and thrown away without reading anything but the contract.
    """

    type_name = "drivers"
    parent = fields.StringField()
    allowed = fields.ListField(subfield=fields.StringField())
    others = fields.SetField(subfield=fields.StringField(), required=False)
    """Packages in ``parent`` that are no drivers."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        parent = str(self.parent)
        allowed = [str(module) for module in self.allowed]
        children = graph.find_children(parent) - set(self.others or ())
        drivers = [child for child in children if graph.find_children(child)]
        wrong = []
        for package in {*drivers, *allowed}:
            for module in {package, *graph.find_descendants(package)}:
                wrong += [
                    (module, imported)
                    for imported in graph.find_modules_directly_imported_by(module)
                    if _inside(imported, parent.split(".")[0])
                    and not any(_inside(imported, fine) for fine in (package, *allowed))
                ]
        return self._verdict(wrong)


class AloneContract(_Listing):
    """A module that imports nothing of ours, so that it can be copied and run alone."""

    type_name = "alone"
    modules = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        return self._verdict(
            [
                (module, imported)
                for module in self.modules
                if module in graph.modules
                for imported in graph.find_modules_directly_imported_by(module)
                if _inside(imported, module.split(".")[0])
            ]
        )


def _inside(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
